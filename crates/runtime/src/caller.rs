//! Who is calling: the keys a call may use, and what the caller chose to see.
//!
//! A caller is made by a transport and is the only way into dispatch. Nothing here prints a key.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use crate::person::Person;
use crate::request::RequestId;
use crate::session::Session;

/// The full digest of a key: what buckets, caches and stores are keyed by.
pub type Digest = [u8; 32];

/// A platform key, held in memory only.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Trimmed, visible ASCII, marked sensitive.
    value: HeaderValue,
    digest: Digest,
}

/// Text that cannot be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing but blanks.
    #[error("a key is empty")]
    Empty,
    /// Something a header cannot carry.
    #[error("a key holds characters that a header cannot carry")]
    Unprintable,
}

impl Key {
    /// Takes a key as it was written, blanks around it aside.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        // A header may carry a tab, and between a scheme and a key it parts them.
        if text.contains('\t') {
            return Err(KeyError::Unprintable);
        }
        let mut value = HeaderValue::from_str(text).map_err(|_| KeyError::Unprintable)?;
        value.set_sensitive(true);
        Ok(Self { value, digest: Sha256::digest(text.as_bytes()).into() })
    }

    /// The key's full digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// First eight hexadecimal digits of the digest: how people tell keys apart.
    pub fn id(&self) -> String {
        let [a, b, c, d, ..] = self.digest;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// Number of bytes.
    pub fn length(&self) -> usize {
        self.value.len()
    }

    /// The value for a header, marked sensitive.
    pub(crate) fn header(&self) -> HeaderValue {
        self.value.clone()
    }

    /// Masks every occurrence of the key in a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        match self.value.to_str() {
            Ok(key) if text.contains(key) => text.replace(key, "****"),
            _ => text.to_owned(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(****{})", self.id())
    }
}

/// The keys a caller may use.
#[derive(Debug, Clone, Default)]
enum Credentials {
    /// No key at all.
    #[default]
    None,
    /// A key the caller brought; it is used for every operation.
    Brought(Key),
    /// The server's own keys, by the name of the credential that operations ask for, and their common digest.
    Own(Arc<BTreeMap<String, Key>>, Digest),
}

/// Who is calling. Cheap to clone; its `Debug` shows key ids, never keys.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    credentials: Credentials,
    /// What the caller chose to see.
    pub selection: Selection,
    /// The way it came.
    pub transport: Transport,
    /// What the client calls itself, where it does and somebody wants to know.
    pub client: Option<String>,
    /// The name of the request, where the transport gave it one.
    pub request: Option<RequestId>,
    /// The person behind it.
    pub person: Person,
    /// The address it came from, where it came over a network.
    pub address: Option<Address>,
    /// What its session remembers, where it has one.
    pub session: Option<Arc<Session>>,
    /// Whether it called an operation by name, through a tool that does that.
    pub(crate) by_name: bool,
}

/// Where a request came from, as far as one subscriber can be told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl Address {
    /// An IPv4 address, or the half of an IPv6 address that names the network: whoever has one address of it has all.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            plain @ IpAddr::V4(_) => plain,
        })
    }
}

/// The way a caller came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// A command of the program itself.
    #[default]
    Shell,
    /// Pipes.
    Stdio,
    /// HTTP.
    Http,
}

impl Transport {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Stdio => "stdio",
            Self::Http => "http",
        }
    }
}

impl Caller {
    /// A caller without a key: may list, may not call.
    pub fn keyless() -> Self {
        Self::default()
    }

    /// A caller who brought a key.
    pub fn with_key(key: Key) -> Self {
        Self { credentials: Credentials::Brought(key), ..Self::default() }
    }

    /// A caller who acts with the server's own keys.
    pub fn with_own_keys(keys: Arc<BTreeMap<String, Key>>) -> Self {
        let tenant = match keys.len() {
            1 => keys.values().map(Key::digest).next().unwrap_or_default(),
            _ => keys
                .values()
                .fold(Sha256::new(), |hash, key| hash.chain_update(key.digest()))
                .finalize()
                .into(),
        };
        Self { credentials: Credentials::Own(keys, tenant), ..Self::default() }
    }

    /// The key for an operation that asks for this credential.
    pub fn key(&self, credential: &str) -> Option<&Key> {
        match &self.credentials {
            Credentials::None => None,
            Credentials::Brought(key) => Some(key),
            Credentials::Own(keys, _) => keys.get(credential),
        }
    }

    /// The key that the caller brought, which only the platform can tell to be a good one.
    pub(crate) fn brought(&self) -> Option<&Key> {
        match &self.credentials {
            Credentials::Brought(key) => Some(key),
            Credentials::None | Credentials::Own(..) => None,
        }
    }

    /// Masks every occurrence of the caller's keys in a text.
    pub fn redact(&self, text: &str) -> String {
        match &self.credentials {
            Credentials::None => text.to_owned(),
            Credentials::Brought(key) => key.redact(text),
            Credentials::Own(keys, _) => {
                keys.values().fold(text.to_owned(), |text, key| key.redact(&text))
            }
        }
    }

    /// What tells this caller's data from another's: the digest of the key, or of all own keys together.
    pub fn tenant(&self) -> Digest {
        match &self.credentials {
            Credentials::None => Digest::default(),
            Credentials::Brought(key) => key.digest(),
            Credentials::Own(_, tenant) => *tenant,
        }
    }
}

/// What a caller chose to see, within what the operator allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Groups of tools.
    pub toolsets: Toolsets,
    /// Single tools, by their own names; none chosen means all that the groups hold.
    pub tools: Option<Arc<[String]>>,
    /// Single tools that are left out, by their own names.
    pub excluded: Arc<[String]>,
    /// Whether the caller renounced everything that changes something.
    pub read_only: bool,
}

impl Selection {
    /// Whether the choice of single tools leaves this one in.
    pub fn keeps(&self, tool: &str) -> bool {
        let among = |names: &[String]| names.iter().any(|name| name == tool);
        self.tools.as_deref().is_none_or(among) && !among(&self.excluded)
    }
}

/// A choice of toolsets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Toolsets {
    /// Nobody chose.
    #[default]
    Unset,
    /// Every toolset.
    All,
    /// These, by name.
    Named(Arc<[String]>),
}

impl Toolsets {
    /// Reads a comma-separated list of names, or `all`; an empty text chooses nothing.
    pub fn parse(text: &str) -> Self {
        let names: Vec<String> = names(text).map(str::to_owned).collect();
        match names.as_slice() {
            [] => Self::Unset,
            names if names.iter().any(|name| name == "all") => Self::All,
            _ => Self::Named(names.into()),
        }
    }
}

/// The names in a comma-separated list.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_key() {
        let key = Key::new(" a-very-secret-key-of-thirty-two-characters ").unwrap();
        let caller = Caller::with_key(key.clone());
        let own =
            Caller::with_own_keys(Arc::new(BTreeMap::from([("key".to_owned(), key.clone())])));
        let shown = format!("{key:?} {caller:?} {own:#?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains(&key.id()));
    }

    #[test]
    fn a_key_id_is_the_start_of_the_digest_of_the_trimmed_key() {
        // sha256("abc") is the standard's own example.
        assert_eq!(Key::new(" abc\n").unwrap().id(), "ba7816bf");
    }

    #[test]
    fn two_keys_are_two_tenants_and_one_own_key_is_its_own_tenant() {
        let (a, b) = (Key::new("a").unwrap(), Key::new("b").unwrap());
        let own = Caller::with_own_keys(Arc::new(BTreeMap::from([("key".to_owned(), a.clone())])));
        assert_ne!(Caller::with_key(a.clone()).tenant(), Caller::with_key(b).tenant());
        assert_eq!(Caller::with_key(a).tenant(), own.tenant());
    }

    #[test]
    fn toolsets_are_read_as_a_list_or_all() {
        assert_eq!(Toolsets::parse(" "), Toolsets::Unset);
        assert_eq!(Toolsets::parse("devices, all"), Toolsets::All);
        assert_eq!(
            Toolsets::parse("devices , spaces"),
            Toolsets::Named(["devices".to_owned(), "spaces".to_owned()].into())
        );
    }
}
