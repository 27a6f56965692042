//! Where Redis is. It may hold a password, so it is never shown.

use std::fmt;

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion};

/// The address of a Redis, with all that opens it.
#[derive(Clone)]
pub struct Address(Client);

/// A text that is no address of a Redis; it says what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("redis://[user:password@]host[:port][/database], rediss://… (TLS) or unix:///path")]
pub struct AddressError;

impl Address {
    /// Reads an address as it is written.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let info = text.trim().into_connection_info().map_err(|_| AddressError)?;
        // An address could ask for TLS without a look at certificates.
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(AddressError);
        }
        // Messages come on the connection of the commands, in order with their answers.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_redis_settings(settings)).map(Self).map_err(|_| AddressError)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_scheme_and_a_place() {
        for good in ["redis://h", "redis://u:p@h:1/2", "rediss://h", "unix:///s", " redis://h\n"] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "h:6379", "http://h", "redis://", "redis://h/x", "unix:", "rediss://h#insecure"]
        {
            assert_eq!(Address::parse(bad).err(), Some(AddressError), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let address = Address::parse("redis://me:hush-hush@h").unwrap();
        assert!(!format!("{address:?}").contains("hush"));
    }
}
