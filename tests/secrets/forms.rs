//! The secrets of the test, and the ways in which they may be written.

/// With characters that are written in other ways where addresses or base64 are.
pub(crate) const OWN: &str = "own+key/of=the~organization-9f2c41d7";
pub(crate) const PARTNER: &str = "partner+key/of=the~vendor-51be90aa3c";
pub(crate) const TOKEN: &str = "token+that/opens=the~server-77e01c";
pub(crate) const METRICS: &str = "token+that/opens=the~metrics-0d83aa";
pub(crate) const OTHER: &str = "other+key/of=some~tenant-c5d20b6e18";
/// The password in the address of a Redis that nobody answers at.
pub(crate) const PASSWORD: &str = "password-of=the~shared-redis-a81c";
pub(crate) const KEYS: [&str; 6] = [OWN, PARTNER, TOKEN, METRICS, OTHER, PASSWORD];

/// A key as it may be written.
pub(crate) fn forms(key: &str) -> Vec<String> {
    let percent = |escape: fn(u8) -> String| -> String {
        key.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'~' => {
                    char::from(byte).to_string()
                }
                _ => escape(byte),
            })
            .collect()
    };
    let mut forms = vec![
        key.to_owned(),
        key.replace('/', "\\/"),
        percent(|byte| format!("%{byte:02X}")),
        percent(|byte| format!("%{byte:02x}")),
    ];
    // What base64 makes of a key depends on the bytes before it; at the ends, on its neighbors too.
    for before in 0..3 {
        let standard = base64(format!("{}{key}", "x".repeat(before)).as_bytes());
        let inner = standard[4..standard.len() - 4].to_owned();
        forms.push(inner.replace('+', "-").replace('/', "_"));
        forms.push(inner);
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[bits as usize % 64]);
    let chunks = bytes.chunks(3).map(|chunk| {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        [bits >> 18, bits >> 12, bits >> 6, bits].map(letter)
    });
    chunks.flatten().collect()
}

pub(crate) fn without_keys(what: &str, written: &[u8]) {
    let text = String::from_utf8_lossy(written);
    for form in KEYS.iter().flat_map(|key| forms(key)) {
        assert!(!text.contains(&form), "{what} holds {form}:\n{text}");
    }
}

#[test]
fn a_key_would_be_found_in_every_form() {
    for hidden in [
        format!("key {OWN}"),
        "key own%2Bkey%2Fof%3Dthe~organization-9f2c41d7".to_owned(),
        base64(format!("user:{OWN}").as_bytes()),
        base64(format!("{OWN}:").as_bytes()),
    ] {
        let found = std::panic::catch_unwind(|| without_keys("it", hidden.as_bytes()));
        assert!(found.is_err(), "{hidden}");
    }
}
