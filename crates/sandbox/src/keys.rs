//! The demonstration keys and what each may do; knows nothing of how a request carries one.

/// A demonstration key. It opens nothing but a sandbox, so it is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// One letter, as the tests and the start message call it.
    pub name: &'static str,
    /// The value to send in the `Authorization` header.
    pub key: &'static str,
    /// What it may do, in words.
    pub may: &'static str,
    pub(crate) holder: Holder,
}

/// Who holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// An organization: an index into the world's tenants.
    Organization { tenant: usize, writes: bool },
    /// The vendor whose devices the organizations bought.
    Partner,
}

/// Every key a sandbox accepts.
pub const KEYS: &[Key] = &[
    Key {
        name: "A",
        key: "sandbox-key-A-northwind-organization",
        may: "read and write organization Northwind",
        holder: Holder::Organization { tenant: 0, writes: true },
    },
    Key {
        name: "B",
        key: "sandbox-key-B-fabrikam-organization",
        may: "read and write organization Fabrikam",
        holder: Holder::Organization { tenant: 1, writes: true },
    },
    Key {
        name: "R",
        key: "sandbox-key-R-northwind-read-only",
        may: "read organization Northwind; a write is refused with 403",
        holder: Holder::Organization { tenant: 0, writes: false },
    },
    Key {
        name: "P",
        key: "sandbox-key-P-contoso-partner-vendor",
        may: "read and write as the vendor Contoso, on the partner operations",
        holder: Holder::Partner,
    },
];

pub(crate) fn find(key: &str) -> Option<Key> {
    KEYS.iter().find(|known| known.key == key).copied()
}
