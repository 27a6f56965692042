//! The overrides: the maintainer's file, as it was written, with the place of every word.
//!
//! Knows the TOML grammar; does not know the document, so it cannot tell whether a name exists.

mod grammar;
mod reader;

use serde_json::Value;
use toml::Spanned;
use xyte_mcp_catalogue::{Class, Step};

use crate::diagnostic::Diagnostic;

/// A word and where it stands.
pub(crate) type Word = Spanned<String>;

/// Everything the file says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) scheme: Option<Word>,
    /// `[credentials]`: security scheme and the variable that holds its key.
    pub(crate) credentials: Vec<(Word, Word)>,
    pub(crate) toolsets: Vec<ToolsetOverride>,
    pub(crate) errors: Vec<ErrorOverride>,
    pub(crate) paging: Vec<Dialect>,
    pub(crate) operations: Vec<OperationOverride>,
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) skip: Vec<Skip>,
    pub(crate) patches: Vec<Patch>,
}

/// `[toolsets.NAME]`
#[derive(Debug, Clone)]
pub(crate) struct ToolsetOverride {
    pub(crate) name: Word,
    pub(crate) description: Option<Word>,
}

/// `[errors.STATUS]`, for all operations or one.
#[derive(Debug, Clone)]
pub(crate) struct ErrorOverride {
    pub(crate) status: Word,
    pub(crate) code: Option<Word>,
    pub(crate) hint: Option<Word>,
}

/// `[paging.NAME]`
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) name: Word,
    pub(crate) rows: Option<Word>,
    /// What `page` counts.
    pub(crate) step: Step,
    /// The parameter that says which page is wanted: `page`, `offset` or `cursor`.
    pub(crate) page: Option<Word>,
    pub(crate) size: Option<Word>,
    pub(crate) more: Option<Word>,
    pub(crate) next: Option<Word>,
}

/// `[operations.ID]`
#[derive(Debug, Clone)]
pub(crate) struct OperationOverride {
    pub(crate) operation: Word,
    pub(crate) tool: ToolOverride,
    pub(crate) description: Option<Word>,
    pub(crate) resource: Option<ResourceOverride>,
    pub(crate) route: Option<Word>,
    pub(crate) paging: Option<Word>,
    pub(crate) rows: Option<Word>,
    pub(crate) columns: Option<Vec<Word>>,
    pub(crate) errors: Vec<ErrorOverride>,
    pub(crate) cache: Option<Spanned<bool>>,
    pub(crate) target: Option<TargetOverride>,
    /// Read operations by which a change is checked beforehand and looked for afterwards.
    pub(crate) reads: Vec<Word>,
    /// Arguments by which an operator names what a person is asked for.
    pub(crate) named_by: Vec<Word>,
    pub(crate) arguments: Vec<ArgumentOverride>,
    pub(crate) example: Option<Vec<(Word, Value)>>,
    pub(crate) reason: Option<Word>,
}

/// `tool = { … }`
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolOverride {
    pub(crate) name: Option<Word>,
    pub(crate) title: Option<Word>,
    pub(crate) toolset: Option<Word>,
    pub(crate) default: Option<Spanned<bool>>,
    pub(crate) aliases: Vec<Word>,
    /// The last version in which the aliases answer.
    pub(crate) until: Option<Word>,
    pub(crate) class: Option<Spanned<Class>>,
    pub(crate) idempotent: Option<Spanned<bool>>,
}

/// `resource = "…"` or `resource = { … }`
#[derive(Debug, Clone)]
pub(crate) struct ResourceOverride {
    pub(crate) uri: Word,
    pub(crate) name: Option<Word>,
    pub(crate) title: Option<Word>,
    pub(crate) description: Option<Word>,
    pub(crate) columns: Option<Vec<Word>>,
}

/// `target = { operation = "…", columns = […] }`
#[derive(Debug, Clone)]
pub(crate) struct TargetOverride {
    pub(crate) operation: Word,
    pub(crate) columns: Vec<Word>,
}

/// `arguments.NAME = { … }`, where NAME may be preceded by the place, as in `body.id`.
#[derive(Debug, Clone)]
pub(crate) struct ArgumentOverride {
    pub(crate) argument: Word,
    pub(crate) name: Option<Word>,
    pub(crate) description: Option<Word>,
}

/// `[workflows.NAME]`: a tool that the server computes from several operations.
#[derive(Debug, Clone)]
pub(crate) struct Workflow {
    pub(crate) name: Word,
    pub(crate) tool: ToolOverride,
    pub(crate) description: Option<Word>,
    /// The security scheme whose key it acts with.
    pub(crate) credential: Option<Word>,
    /// Operations that it calls.
    pub(crate) calls: Vec<Word>,
    /// Whether a person is asked before every call.
    pub(crate) consent: Option<Spanned<bool>>,
    pub(crate) arguments: Vec<WorkflowArgument>,
    /// Members of its answer, as schemas.
    pub(crate) result: Vec<(Word, Value)>,
    pub(crate) example: Option<Vec<(Word, Value)>>,
}

/// `arguments.NAME = { type = "…", … }` of a workflow: a JSON schema, and whether the argument is needed.
#[derive(Debug, Clone)]
pub(crate) struct WorkflowArgument {
    pub(crate) name: Word,
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

/// A line under `[skip]`.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    pub(crate) operation: Word,
    pub(crate) reason: Word,
}

/// `[[patch]]`
#[derive(Debug, Clone)]
pub(crate) struct Patch {
    pub(crate) at: Word,
    /// What must stand there; nothing where the member must be absent.
    pub(crate) was: Option<Value>,
    pub(crate) change: Change,
}

/// What a patch does.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Set(Value),
    Remove,
    RenameTo(Word),
}

/// Reads the file; a part that cannot be read is a finding and left out.
pub(crate) fn parse(text: &str, findings: &mut Vec<Diagnostic>) -> Option<Overrides> {
    const MOST: usize = 3; // The first is the fault; most of the others follow from it.
    let before = findings.len();
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    for error in errors.into_iter().take(MOST) {
        let span = error.span().unwrap_or(0..0);
        findings.push(
            Diagnostic::overrides("overrides-not-toml", span, "the overrides are not TOML")
                .label(error.message().to_owned()),
        );
    }
    if findings.len() > before {
        return None; // What follows a broken line would be reported as missing.
    }
    Some(grammar::read(&table, findings))
}
