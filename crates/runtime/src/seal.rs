//! Texts that only this service can have written, read or changed, for one caller and one purpose. It does not know what they hold.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

use crate::caller::Digest;

/// Bytes of the time at which a text expires.
const TIME_LEN: usize = 8;

/// What a sealed text is for; it opens for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Where a list goes on.
    Cursor,
    /// A previewed change.
    Plan,
    /// The state of a request that waits for a person.
    Request,
    /// What a change did, for a later one to undo.
    Report,
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It was forged or altered, or sealed for another caller, for another purpose or with another key; which of these, nobody is told.
    #[error("it was not given out by this server to this caller")]
    Invalid,
    /// It was good once.
    #[error("it has expired")]
    Expired,
}

/// Seals and opens texts.
pub struct Seal {
    /// The first one seals, and each opens; never empty.
    keys: Vec<LessSafeKey>,
    lasting: bool,
}

impl Seal {
    /// Takes the operator's keys: the first one seals, and each opens. Without any, it makes one up.
    pub fn new(keys: Vec<[u8; 32]>) -> Self {
        if keys.is_empty() {
            return Self::made_up();
        }
        Self { keys: keys.into_iter().map(|key| cipher(&key)).collect(), lasting: true }
    }

    /// Makes up a key that nobody else has: what it seals opens in this process only.
    pub fn made_up() -> Self {
        Self { keys: vec![cipher(&random())], lasting: false }
    }

    /// Whether texts open after a restart, and in other replicas.
    pub fn lasting(&self) -> bool {
        self.lasting
    }

    /// Seals bytes as a text of letters, digits, `-` and `_`.
    pub fn seal(
        &self,
        purpose: Purpose,
        tenant: Digest,
        expires: Option<DateTime<Utc>>,
        payload: &[u8],
    ) -> String {
        let expires = expires.map_or(i64::MAX, |at| at.timestamp_millis());
        let mut sealed = [&expires.to_be_bytes()[..], payload].concat();
        let bound = Aad::from(bound(purpose, tenant));
        let nonce: [u8; NONCE_LEN] = random();
        let key = &self.keys[0];
        match key.seal_in_place_append_tag(Nonce::from(&nonce), bound, &mut sealed) {
            Ok(()) => URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()),
            // Only what is too long for the algorithm; a text that never opens gives nothing away.
            Err(_) => String::new(),
        }
    }

    /// Opens a text that was sealed for the same purpose and tenant.
    ///
    /// # Errors
    /// When it was not, or has expired.
    pub fn open(
        &self,
        purpose: Purpose,
        tenant: Digest,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, Broken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Broken::Invalid)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Broken::Invalid)?;
        let bound = bound(purpose, tenant);
        let open = |key: &LessSafeKey| {
            let mut opened = sealed.to_vec();
            let length = key.open_in_place(Nonce::from(nonce), Aad::from(bound), &mut opened);
            let length = length.ok()?.len();
            opened.truncate(length);
            Some(opened)
        };
        let mut opened = self.keys.iter().find_map(open).ok_or(Broken::Invalid)?;
        let (expires, _) = opened.split_first_chunk::<TIME_LEN>().ok_or(Broken::Invalid)?;
        if i64::from_be_bytes(*expires) <= now.timestamp_millis() {
            return Err(Broken::Expired);
        }
        opened.drain(..TIME_LEN);
        Ok(opened)
    }
}

/// Text that holds no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is not base64.
    #[error("key {0} is not base64")]
    Unreadable(usize),
    /// It has another length.
    #[error("key {at} has {length} bytes")]
    Length {
        /// Which of the keys, from 1.
        at: usize,
        /// Its bytes.
        length: usize,
    },
}

/// Reads keys of 32 bytes in base64, of either alphabet, with commas between them.
///
/// # Errors
/// When one of them is none.
pub fn keys(text: &str) -> Result<Vec<[u8; 32]>, KeysError> {
    const PADDED_OR_NOT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDED_OR_NOT);
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let read = |(at, text): (usize, &str)| {
        let text = text.replace('-', "+").replace('_', "/");
        let bytes = ENGINE.decode(text).map_err(|_| KeysError::Unreadable(at + 1))?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| KeysError::Length { at: at + 1, length })
    };
    texts.enumerate().map(read).collect()
}

impl Default for Seal {
    fn default() -> Self {
        Self::made_up()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("lasting", &self.lasting).finish_non_exhaustive()
    }
}

/// What a text is bound to and does not hold.
fn bound(purpose: Purpose, tenant: Digest) -> [u8; 33] {
    let mut bound = [0; 33];
    bound[0] = match purpose {
        Purpose::Cursor => 1,
        Purpose::Plan => 2,
        Purpose::Request => 3,
        Purpose::Report => 4,
    };
    bound[1..].copy_from_slice(&tenant);
    bound
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    // A random nonce may repeat with this algorithm, at the price of showing that two texts are equal.
    let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("a key of AES-256 has 32 bytes");
    LessSafeKey::new(key)
}

/// Bytes from the system: the library's own source takes 35 ms to begin, which a start can do without.
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("no system that runs this is without randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const A: Digest = [1; 32];
    const B: Digest = [2; 32];

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_text_opens_for_its_tenant_and_purpose_only() {
        let seal = Seal::made_up();
        let text = seal.seal(Purpose::Cursor, A, None, b"payload");
        assert_eq!(seal.open(Purpose::Cursor, A, &text, now()).unwrap(), b"payload");
        for (purpose, tenant) in [(Purpose::Cursor, B), (Purpose::Plan, A), (Purpose::Request, A)] {
            assert_eq!(seal.open(purpose, tenant, &text, now()), Err(Broken::Invalid));
        }
    }

    #[test]
    fn no_changed_character_is_taken_and_no_shorter_or_longer_text() {
        let seal = Seal::made_up();
        let text = seal.seal(Purpose::Plan, A, None, b"p");
        let open = |text: &str| seal.open(Purpose::Plan, A, text, now());
        assert!(open(&text).is_ok());
        for at in 0..text.len() {
            for other in ["A", "B", "_", "=", " "] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(changed == text || open(&changed) == Err(Broken::Invalid), "{changed}");
            }
            assert_eq!(open(&text[..at]), Err(Broken::Invalid));
        }
        for other in ["", "=", "A", "é", "\n", &format!("{text}A"), &format!("{text}\n")] {
            assert_eq!(open(other), Err(Broken::Invalid), "{other:?}");
        }
    }

    #[test]
    fn a_text_is_good_until_it_expires_and_its_time_cannot_be_told_from_outside() {
        let seal = Seal::made_up();
        let expires = now() + TimeDelta::minutes(10);
        let text = seal.seal(Purpose::Plan, A, Some(expires), b"");
        let before = expires - TimeDelta::milliseconds(1);
        assert_eq!(seal.open(Purpose::Plan, A, &text, before), Ok(Vec::new()));
        assert_eq!(seal.open(Purpose::Plan, A, &text, expires), Err(Broken::Expired));
        assert_eq!(seal.open(Purpose::Plan, B, &text, expires), Err(Broken::Invalid));
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_still_opens() {
        let (old, new) = ([7; 32], [8; 32]);
        let text = Seal::new(vec![old]).seal(Purpose::Cursor, A, None, b"x");
        let rotated = Seal::new(vec![new, old]);
        assert!(rotated.lasting());
        assert_eq!(rotated.open(Purpose::Cursor, A, &text, now()), Ok(b"x".to_vec()));
        let text = rotated.seal(Purpose::Cursor, A, None, b"y");
        assert!(Seal::new(vec![new]).open(Purpose::Cursor, A, &text, now()).is_ok());
        assert_eq!(
            Seal::new(vec![old]).open(Purpose::Cursor, A, &text, now()),
            Err(Broken::Invalid)
        );
    }

    #[test]
    fn keys_are_read_in_either_alphabet_and_a_wrong_one_is_named() {
        let (plus, url) = ("+".repeat(42) + "8=", "-".repeat(42) + "8");
        assert_eq!(keys(&plus).unwrap(), keys(&url).unwrap());
        let key = URL_SAFE_NO_PAD.encode([9; 32]);
        assert_eq!(keys(&format!(" {key} , {key}, ")).unwrap(), [[9; 32]; 2]);
        assert_eq!(keys(&format!("{key},c2hvcnQ")), Err(KeysError::Length { at: 2, length: 5 }));
        assert_eq!(keys("not base64!"), Err(KeysError::Unreadable(1)));
        assert_eq!(keys(" , ").unwrap(), Vec::<[u8; 32]>::new());
    }

    #[test]
    fn a_made_up_key_belongs_to_its_process() {
        let (one, other) = (Seal::new(Vec::new()), Seal::default());
        assert!(!one.lasting() && !other.lasting());
        let text = one.seal(Purpose::Cursor, A, None, b"x");
        assert_eq!(other.open(Purpose::Cursor, A, &text, now()), Err(Broken::Invalid));
    }

    #[test]
    fn equal_payloads_look_different_and_debug_shows_no_key() {
        let seal = Seal::new(vec![[65; 32]]);
        let texts = [(); 2].map(|()| seal.seal(Purpose::Cursor, A, None, b"x"));
        assert_ne!(texts[0], texts[1]);
        assert_eq!(format!("{seal:?}"), "Seal { lasting: true, .. }");
    }
}
