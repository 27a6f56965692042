//! What is wrong with a preset's file, and where. It reads nothing.

use std::fmt;

/// One fault, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: String,
    /// From 1; a file that cannot be read has none.
    pub(crate) place: Option<(u64, u64)>,
    pub(crate) message: String,
}

/// All faults of all files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => {
                write!(out, "{}:{line}:{column}: {}", self.file, self.message)
            }
            None => write!(out, "{}: {}", self.file, self.message),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&faults.join("\n"))
    }
}
