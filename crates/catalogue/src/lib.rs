//! The model: what a server serves, as plain data.
//!
//! The generator decides every field and writes it as `capabilities.json`; the runtime loads that file and serves it; the documents are rendered from it.
//! This crate knows neither where the data comes from nor how it is served.

pub mod naming;
pub mod prompt;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use naming::Naming;
use prompt::Prompt;

/// Rows a list answers with when nobody asks for a number.
pub const DEFAULT_LIMIT: u32 = 50;

/// Most rows one call can ask for.
pub const MOST_ROWS: u32 = 1000;

/// Everything one server offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The API behind the server.
    pub api: Api,
    /// Named groups of tools, in the order they are listed.
    pub toolsets: Vec<Toolset>,
    /// What an upstream status means, by status (`404`) or class (`5XX`).
    pub errors: BTreeMap<String, ErrorRule>,
    /// One entry per exposed operation and per computed tool, in the order tools are listed: by toolset, then by name.
    pub entries: Vec<Entry>,
    /// Texts that a person picks for a model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<Prompt>,
    /// Where ids are looked up by name, by the argument that holds the id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Naming>,
    /// Operations that are deliberately not exposed.
    pub skipped: Vec<Skipped>,
    /// Version of the program that serves these contracts; empty where they are not locked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// The upstream API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// Title from the document.
    pub title: String,
    /// Version from the document.
    pub version: String,
    /// First server URL of the document, without a trailing slash.
    pub server: String,
    /// Which setting of the server holds the key, by name of the security scheme.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, String>,
    /// How a key goes out, by name of the security scheme, where it is not as it is in the header `Authorization`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sending: BTreeMap<String, Sending>,
    /// Scheme under which every resource is also reachable (`shelf` for `shelf://books`).
    pub scheme: String,
}

/// How a key goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// As it is, in this header.
    Header(String),
    /// As `Authorization: Bearer …`.
    Bearer,
    /// As `Authorization: Basic …`; the key is the user's name, a colon and the password.
    Basic,
}

/// A named group of tools that a caller selects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toolset {
    /// Name, as callers write it.
    pub name: String,
    /// One sentence on what the tools have in common.
    pub description: String,
}

/// What a caller is told about an upstream status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRule {
    /// Stable code for programs.
    pub code: String,
    /// The next step, for a person or a model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// One operation as a tool, and perhaps as a resource and a route; or a tool that the server computes from several operations.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own in a file")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Operation id in the document; of a computed tool, its name in the overrides.
    pub operation: String,
    /// What a call does to the platform.
    pub class: Class,
    /// The toolset the tool belongs to.
    pub toolset: String,
    /// Whether the tool is shown when nobody selects toolsets.
    pub default: bool,
    /// The tool exactly as `tools/list` serves it.
    pub tool: Map<String, Value>,
    /// What callers rely on, in short; absent where contracts are not locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// Other names the tool answers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The last version in which the other names answer; empty where they stay.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// What callers are told where the document deprecates the operation; empty where it does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub deprecated: String,
    /// HTTP method, upper case; empty for a computed tool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// Path template in the document; empty for a computed tool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Whether the tool is served only where the operator wants what may still change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub experimental: bool,
    /// What the server itself does under this name; absent for what the API or the product does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin: Option<Builtin>,
    /// Arguments that take a name in place of an id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Operations that a computed tool calls; of any other, those by which a change is checked and looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
    /// Name of the security scheme that says which key the call needs; empty when it needs none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
    /// Where each argument of the tool goes.
    pub arguments: Vec<Argument>,
    /// Whether a body may be left out altogether.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional_body: bool,
    /// Media type of the body; empty for `application/json`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
    /// Media type in which an answer is asked for; empty for `application/json`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub accept: String,
    /// What comes back and how it is shown.
    pub answer: Answer,
    /// How a list is walked; absent when the answer comes in one piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// Statuses that mean something else here than in [`Catalogue::errors`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, ErrorRule>,
    /// Statuses the document names for failures, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// The resource that reads the same data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// The REST route that reads the same data, with `{variables}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Whether an answer may be reused for a while.
    pub cache: bool,
    /// When a person is asked before a call, and what the question names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consent: Consent,
    /// Arguments of a call that works on the sandbox.
    pub example: Map<String, Value>,
}

/// What callers of a tool rely on: class, hints, toolset, key and schemas, without words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Names the contract: another one has another digest.
    pub digest: String,
    /// The version of the program that served it first.
    pub since: String,
}

impl Entry {
    /// Whether the server computes the answer itself, from the operations that it names.
    pub fn is_computed(&self) -> bool {
        self.answer.form == Form::Computed
    }
}

/// What a server does itself, whatever the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Remembers ids for the calls of a session that leave them out.
    Context,
    /// Finds operations by what they do.
    Search,
    /// Shows one operation with its arguments.
    Describe,
    /// Calls an operation of this tool's class by name.
    Call,
    /// Says that there are no background tasks.
    AsyncDisabled,
}

/// What a call does to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Destroys, or cannot be undone through this API.
    Destructive,
}

/// When a person is asked before a call, and what the question names; calls that destroy are asked for anyway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Before every call that is not a dry run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
    /// Arguments that name what the operator may want to be asked for; the first one says it exactly, the others in another way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named_by: Vec<String>,
    /// What the call is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// What a call is done to, as another operation tells it from arguments of the same names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The operation that reads it.
    pub operation: String,
    /// What makes it the same object and tells a person which one it is, as dotted names.
    pub columns: Vec<String>,
}

/// Where one argument of a tool goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// Name in the tool's input schema.
    pub name: String,
    /// Name on the wire.
    pub wire: String,
    /// Part of the request.
    pub location: Location,
}

/// Part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// One field of a JSON object body.
    Body,
    /// The whole JSON body, where it is not an object with known fields.
    WholeBody,
}

/// What comes back from the platform and what of it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its form.
    pub form: Form,
    /// Dotted path to the rows of a list; empty when the answer itself is the array.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rows: String,
    /// Dotted names shown by default; empty shows the whole object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Rows: served as `{items, page, warnings}`.
    List,
    /// One object: served as it is, or its columns.
    Object,
    /// Undocumented, or no body: served as `{status, answer}`.
    Unknown,
    /// Computed by the server: served as it is.
    Computed,
}

/// A platform's way of cutting a list into pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// Name of the dialect in the overrides.
    pub dialect: String,
    /// What the query parameter counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub step: Step,
    /// Query parameter that says which page is wanted.
    pub page: String,
    /// Whether the first page has the number 0 and not 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_zero: bool,
    /// Query parameter that takes the rows per page; empty when the platform fixes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub size: String,
    /// Most rows per page that the platform allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Dotted path to a boolean that says whether another page follows; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub more: String,
    /// Dotted path to what the next page is asked for with, null at the end; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// How one page is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// By number.
    #[default]
    Page,
    /// By the rows before it.
    Offset,
    /// By a text that the page before it gave; the first page needs none.
    Cursor,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A readable resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// URI or URI template with `{variables}` that are arguments of the tool.
    pub uri: String,
    /// The same under the server's own scheme.
    pub alias: String,
    /// Machine name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// When to read it.
    pub description: String,
    /// Dotted names shown; empty shows the whole answer as the platform sent it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

impl Resource {
    /// The URI with the variables filled in from arguments.
    pub fn example(&self, arguments: &Map<String, Value>) -> String {
        arguments.iter().fold(self.uri.clone(), |uri, (name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            uri.replace(&format!("{{{name}}}"), &text)
        })
    }
}

/// An operation that is deliberately not exposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// Operation id in the document.
    pub operation: String,
    /// HTTP method, upper case.
    pub method: String,
    /// Path template in the document.
    pub path: String,
    /// Why.
    pub reason: String,
}
