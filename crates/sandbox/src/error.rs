//! Why a sandbox could not be made; knows nothing of requests, whose refusals are answers.

/// What stops a sandbox from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The document is not JSON.
    #[error("the document is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The document is JSON without operations.
    #[error("the document has no `paths`: give an OpenAPI 3 document")]
    NoPaths,
    /// No scenario has this name.
    #[error("unknown scenario `{name}`: choose one of {}", crate::scenario::NAMES.join(", "))]
    UnknownScenario {
        /// The name that was asked for.
        name: String,
    },
    /// A fault is not written in the grammar.
    #[error("cannot read the fault `{text}`: {why}")]
    NoFault {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Virtual time does not pass in this way.
    #[error("unknown pace of the clock `{text}`: choose `fixed`, `running` or `step:SECONDS`")]
    UnknownPace {
        /// What was asked for.
        text: String,
    },
}
