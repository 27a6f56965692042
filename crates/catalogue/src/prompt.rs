//! Prompts: texts that a person picks, with places for arguments. They know tools by name only.

use serde::{Deserialize, Serialize};

/// A text for a model, which a person chooses and completes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Name, as clients ask for it.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// What it is good for.
    pub description: String,
    /// What a person fills in.
    pub arguments: Vec<Blank>,
    /// The text, with each argument as `{name}`.
    pub text: String,
    /// Tools that the text tells the model to call: without one of them, the prompt is not shown.
    pub tools: Vec<String>,
}

/// An argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blank {
    /// Name, as it stands in the text.
    pub name: String,
    /// What to fill in.
    pub description: String,
    /// What stands in the text where nothing is filled in; none where something must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Which names help to fill it in, by key of the catalogue's names; empty where none do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub completes: String,
}
