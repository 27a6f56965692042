//! What a server says about itself: its name, its words, and what it can do.

use rmcp::model::{PromptsCapability, ServerCapabilities};
use serde_json::Map;

use super::resources::Document;
use super::skills::{Skill, Skills};
use crate::service::Service;

/// What the server says about itself.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Machine name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Version of the product.
    pub version: String,
    /// What a model should know before its first call.
    pub instructions: String,
    /// Documents that are resources, as they are.
    pub documents: Vec<Document>,
    /// Skills, which are resources as well.
    pub skills: Vec<Skill>,
}

/// What the server can do beyond tools and resources depends on what there is.
pub(super) fn capabilities(service: &Service, skills: &Skills) -> ServerCapabilities {
    let builder = ServerCapabilities::builder().enable_tools().enable_resources();
    let mut capabilities = if skills.is_empty() {
        builder.build()
    } else {
        builder.enable_skills_with_directory_read().build()
    };
    if !service.catalogue.prompts.is_empty() {
        capabilities.prompts = Some(PromptsCapability::default());
    }
    if !service.catalogue.namings.is_empty() {
        capabilities.completions = Some(Map::new());
    }
    capabilities
}
