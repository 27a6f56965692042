//! One change of one tool, as plain data.

use serde::Serialize;
use serde_json::Value;

/// What a change does to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A call that worked is refused, or does something else.
    Breaking,
    /// Calls work; a program that relies on names and types of answers may not.
    BreakingTyped,
    /// Calls work; what they use is going to be removed.
    Deprecation,
    /// Nothing that worked stops working.
    Additive,
    /// Words, and what only the server sees.
    Cosmetic,
}

/// The part of a tool that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The tool as such.
    Tool,
    /// What it takes.
    Input,
    /// What it answers.
    Output,
    /// A toolset.
    Toolset,
    /// A prompt.
    Prompt,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is there no more.
    Removed,
    /// It has another name.
    Renamed,
    /// It is there and must be given.
    AddedRequired,
    /// It is there, and need not be given.
    Added,
    /// It must be given.
    BecameRequired,
    /// It need not be given.
    BecameOptional,
    /// Fewer types than before.
    TypeNarrowed,
    /// Other types than before.
    TypeChanged,
    /// More types than before.
    TypeWidened,
    /// Values are listed no more.
    ValuesRemoved,
    /// More values are listed.
    ValuesAdded,
    /// Values are listed where any was possible.
    ValuesClosed,
    /// Any value is possible where some were listed.
    ValuesOpened,
    /// A rule lets less through.
    RuleTightened,
    /// A rule lets more through.
    RuleLoosened,
    /// A rule is another.
    RuleChanged,
    /// What is taken when nothing is given.
    DefaultChanged,
    /// An alternative is gone.
    AlternativeRemoved,
    /// There is one more alternative.
    AlternativeAdded,
    /// Unknown members are refused.
    Closed,
    /// Unknown members are taken.
    Opened,
    /// It is sent in another part of the request.
    Moved,
    /// It is marked as deprecated.
    Deprecated,
    /// It is no longer marked as deprecated.
    Undeprecated,
    /// Words that are served.
    Words,
    /// Words of the document that the overrides replace.
    HiddenWords,
    /// What a call does to the platform.
    Class,
    /// Another hint of the annotations.
    Hint,
    /// Method or path of the operation.
    Address,
    /// The toolset it belongs to.
    Toolset,
    /// The key it needs.
    Credential,
    /// List, object, or unknown.
    Form,
    /// Status of success.
    Success,
    /// A failure is documented.
    FailureAdded,
    /// A failure is no longer documented.
    FailureRemoved,
    /// An argument takes ids only, no names.
    NamesRefused,
    /// An argument takes names too.
    NamesTaken,
    /// Most rows per page.
    PageSize,
    /// The address all calls go to.
    Server,
    /// The served schema differs in a way that has no name here.
    Other,
}

/// One change of one tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What it does to callers.
    pub effect: Effect,
    /// What kind it is.
    pub kind: Kind,
    /// The part of the tool.
    pub face: Face,
    /// Name of the tool, or of the toolset.
    pub name: String,
    /// Operation id in the other document, or where it is gone in the one in force.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// The resource and the route that answer with the same field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Dotted path of the argument or field; empty where it is the whole.
    pub path: String,
    /// JSON pointer into the served tool; empty where it is not served.
    pub pointer: String,
    /// The rule, hint or word that changes, where the kind does not say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// What stood there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// What stands there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// What else there is to know.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// The override or patch that concerns the changed part, else the table of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Spot>,
}

impl Change {
    /// A renamed argument of the tool itself, not of something inside one: the overrides can keep its name.
    pub(crate) fn is_renamed_argument(&self) -> bool {
        self.face == Face::Input && self.kind == Kind::Renamed && !self.path.contains(['.', '['])
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// Path as it was given.
    pub file: String,
    /// Line, counted from 1; nothing where the file has no lines of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// JSON pointer, for a place in a document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}
