//! The loaded catalogue: every tool as it is served, with what is compiled from it once.
//!
//! It knows the file format and the protocol's `Tool`; it knows neither callers nor transports.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::Value;
use xyte_mcp_catalogue as model;

use crate::caller::Toolsets;
use crate::shape::list;
use crate::shape::projection::Tree;

/// Everything one server offers, ready to serve.
#[derive(Debug)]
pub struct Catalogue {
    /// The API behind the server.
    pub api: model::Api,
    /// Named groups of tools.
    pub toolsets: Vec<model::Toolset>,
    /// What an upstream status means.
    pub errors: std::collections::BTreeMap<String, model::ErrorRule>,
    /// The tools, in the order they are listed.
    pub tools: Vec<Tool>,
    /// Position of a tool by each name it answers to.
    names: HashMap<String, usize>,
}

/// One tool, with what is compiled once.
#[derive(Debug)]
pub struct Tool {
    /// What the generator decided; its `tool` is empty here and lies in `served`.
    pub entry: model::Entry,
    /// Its place in the catalogue, by which others keep what belongs to it.
    pub(crate) position: usize,
    /// The tool as it is listed.
    pub served: rmcp::model::Tool,
    /// The parts of an answer that are read when nobody chooses fields; nothing means all of it.
    pub(crate) shown: Option<Tree>,
    /// The same for the resource.
    pub(crate) shown_as_resource: Option<Tree>,
    validator: OnceLock<Option<Validator>>,
}

/// Why a catalogue cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The text is not a catalogue.
    #[error("not a catalogue: {0}")]
    Malformed(#[source] serde_json::Error),
    /// A tool is not one of the protocol.
    #[error("the tool of operation `{operation}` cannot be served: {source}")]
    Tool {
        /// The operation.
        operation: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Two tools answer to one name.
    #[error("two tools answer to `{0}`")]
    NameTwice(String),
}

impl Catalogue {
    /// Reads `capabilities.json`.
    ///
    /// # Errors
    /// When the text is malformed, or names collide.
    pub fn load(text: &str) -> Result<Self, LoadError> {
        let model: model::Catalogue = serde_json::from_str(text).map_err(LoadError::Malformed)?;
        Self::new(model)
    }

    /// Compiles a catalogue.
    ///
    /// # Errors
    /// When a tool cannot be served, or names collide.
    pub fn new(model: model::Catalogue) -> Result<Self, LoadError> {
        let mut names = HashMap::new();
        let mut tools = Vec::with_capacity(model.entries.len());
        for entry in model.entries {
            let tool = Tool::new(entry, tools.len())?;
            for name in
                std::iter::once(tool.name()).chain(tool.entry.aliases.iter().map(String::as_str))
            {
                if names.insert(name.to_owned(), tools.len()).is_some() {
                    return Err(LoadError::NameTwice(name.to_owned()));
                }
            }
            tools.push(tool);
        }
        Ok(Self { api: model.api, toolsets: model.toolsets, errors: model.errors, tools, names })
    }

    /// Finds a tool by its name or an alias.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.names.get(name).map(|&index| &self.tools[index])
    }

    /// Finds the tool of an operation.
    pub(crate) fn find_operation(&self, operation: &str) -> Option<&Tool> {
        let same = |tool: &&Tool| tool.entry.operation == operation && !tool.entry.is_computed();
        self.tools.iter().find(same)
    }

    /// The name nearest to one that does not exist, if any is near.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.tools.iter().map(Tool::name))
    }
}

/// The candidate nearest to a name, if it is near enough to be what was meant.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.75; // Below this, suggestions are more confusing than none.
    const LONGEST: usize = 100; // Bytes; comparing takes the product of both lengths.
    let name = Some(name).filter(|name| name.len() <= LONGEST)?.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

impl Tool {
    fn new(mut entry: model::Entry, position: usize) -> Result<Self, LoadError> {
        // Moved, not copied: schemas are most of what a catalogue takes in memory.
        let tool = Value::Object(std::mem::take(&mut entry.tool));
        let served = serde_json::from_value(tool)
            .map_err(|source| LoadError::Tool { operation: entry.operation.clone(), source })?;
        let shown = compile(&entry, &entry.answer.columns);
        let shown_as_resource =
            entry.resource.as_ref().and_then(|resource| compile(&entry, &resource.columns));
        Ok(Self { entry, position, served, shown, shown_as_resource, validator: OnceLock::new() })
    }

    /// What a caller who used a name has to be told of its future.
    pub fn deprecation(&self, called: &str) -> Option<String> {
        let mut words = Vec::new();
        if called != self.name() {
            let last = Some(&self.entry.until).filter(|until| !until.is_empty());
            let last = last.map(|until| format!("; removed after {until}")).unwrap_or_default();
            words.push(format!("use {}{last}", self.name()));
        }
        if !self.entry.deprecated.is_empty() {
            words.push(self.entry.deprecated.clone());
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// The tool's name.
    pub fn name(&self) -> &str {
        &self.served.name
    }

    /// Whether a call changes nothing.
    pub fn is_read(&self) -> bool {
        self.entry.class == model::Class::Read
    }

    /// The input schema.
    pub(crate) fn schema(&self) -> &Arc<rmcp::model::JsonObject> {
        &self.served.input_schema
    }

    /// The compiled input schema, or nothing when it does not compile.
    ///
    /// It is compiled at the first call: a host that only lists tools does not pay for it.
    pub(crate) fn validator(&self) -> Option<&Validator> {
        let compile = || {
            let schema = Value::Object(self.schema().as_ref().clone());
            jsonschema::options().should_validate_formats(true).build(&schema).ok()
        };
        self.validator.get_or_init(compile).as_ref()
    }

    /// Whether a choice of toolsets includes this tool.
    pub fn is_in(&self, toolsets: &Toolsets) -> bool {
        match toolsets {
            Toolsets::Unset => self.entry.default,
            Toolsets::All => true,
            Toolsets::Named(names) => names.contains(&self.entry.toolset),
        }
    }
}

/// The parts of an answer that these columns need.
pub(crate) fn compile(entry: &model::Entry, columns: &[String]) -> Option<Tree> {
    match entry.answer.form {
        model::Form::List => list::page_tree(&entry.answer.rows, columns, entry.paging.as_ref()),
        model::Form::Object if !columns.is_empty() => {
            Some(Tree::new(columns.iter().map(String::as_str)))
        }
        model::Form::Object | model::Form::Unknown | model::Form::Computed => None,
    }
}
