//! Skills: instructions with files, which a host loads when a task asks for them. They are embedded; nothing is read from disk.

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, GetSkillResult, ListResourcesResult, ListSkillsResult, Resource, Skill as Listed,
    SkillFrontmatter, SkillResource, SkillResources,
};

use super::LIST_TTL_MS;
use super::resources::Document;
use crate::text::quoted;

const DIRECTORY: &str = "inode/directory";

/// A skill of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skill {
    /// The file, with its front matter.
    pub text: &'static str,
}

/// The skills, listed once.
#[derive(Debug, Default)]
pub(super) struct Skills {
    list: Vec<Listed>,
    texts: Vec<&'static str>,
}

impl Skills {
    /// Reads the front matters; a file without one is none.
    pub(super) fn new(skills: &[Skill]) -> Self {
        let mut known = Self::default();
        for skill in skills {
            let Some((name, description)) = front_matter(skill.text) else { continue };
            let uri = format!("skill://{name}/SKILL.md");
            let file = SkillResource::from_bytes(&uri, skill.text.as_bytes());
            let matter = SkillFrontmatter::new(name, description);
            known.list.push(Listed::new(uri, matter, SkillResources::Files(vec![file])));
            known.texts.push(skill.text);
        }
        known
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The files as documents, for those who know resources only.
    pub(super) fn documents(&self) -> impl Iterator<Item = Document> {
        self.list.iter().zip(&self.texts).map(|(skill, text)| Document {
            uri: skill.uri.clone(),
            name: skill.name().to_owned(),
            title: format!("Skill {}", skill.name()),
            description: skill.frontmatter.description.clone(),
            mime: "text/markdown".to_owned(),
            text: (*text).into(),
        })
    }

    pub(super) fn listed(&self) -> ListSkillsResult {
        ListSkillsResult::with_all_items(self.list.clone())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public)
    }

    pub(super) fn get(&self, uri: &str) -> Result<GetSkillResult, ErrorData> {
        let found = self.list.iter().find(|skill| skill.uri == uri);
        let skill = found.cloned().ok_or_else(|| {
            ErrorData::invalid_params(format!("no skill `{}`", quoted(uri)), None)
        })?;
        Ok(GetSkillResult::new(skill).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    /// What lies directly in a directory: the skills, or the file of one.
    pub(super) fn directory(&self, uri: &str) -> Result<ListResourcesResult, ErrorData> {
        let within = uri.trim_end_matches('/');
        let children: Vec<Resource> = if within == "skill:" {
            let directory = |skill: &Listed| {
                Resource::new(format!("skill://{}", skill.name()), skill.name())
                    .with_description(&skill.frontmatter.description)
                    .with_mime_type(DIRECTORY)
            };
            self.list.iter().map(directory).collect()
        } else {
            let of = |skill: &&Listed| within == format!("skill://{}", skill.name());
            let files = self.list.iter().zip(&self.texts).filter(|(skill, _)| of(skill));
            let file = |(skill, text): (&Listed, &&str)| {
                Resource::new(&skill.uri, "SKILL.md")
                    .with_mime_type("text/markdown")
                    .with_size(text.len() as u64)
            };
            files.map(file).collect()
        };
        if children.is_empty() {
            let message = format!("no directory `{}`", quoted(uri));
            return Err(ErrorData::invalid_params(message, None));
        }
        Ok(ListResourcesResult::with_all_items(children)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }
}

/// Name and description, one line each, between two lines of dashes.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let (matter, _) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    let member = |name: &str| {
        matter.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.trim()))
    };
    Some((member("name")?, member("description")?))
}
