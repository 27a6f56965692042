//! The name of a request: what a caller quotes, and what the logs, the audit and the answer say.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Names one request; sixteen hexadecimal digits for people.
///
/// A caller's own name for it is not taken: whoever reads the logs could be led to another's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// Makes a name that is unlikely to come twice, in this process or in another.
    pub fn random() -> Self {
        // The standard library's hasher has a key of 128 bits from the system, and another one each time.
        Self(RandomState::new().build_hasher().finish())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
