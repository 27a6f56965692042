//! Names in place of ids: which list tells what an id is called.

use serde::{Deserialize, Serialize};

/// The list in which an id is looked up by what people call the thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Operation that lists the things.
    pub operation: String,
    /// Column of the id.
    pub id: String,
    /// How an id is written: what looks like one is never looked up.
    pub form: IdForm,
    /// Column of the name.
    pub name: String,
    /// Columns of other names, each as good as an id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Column of the path of what holds the thing; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Column of the id of the thing above, from which paths are made; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parent: String,
}

/// How ids of one kind are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdForm {
    /// Digits.
    Integer,
    /// Eight, four, four, four and twelve hexadecimal digits.
    Uuid,
}

impl IdForm {
    /// Whether a text is written like an id.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Integer => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            }
            Self::Uuid => {
                let groups = text.split('-').map(|group| {
                    Some(group.len()).filter(|_| group.bytes().all(|it| it.is_ascii_hexdigit()))
                });
                groups.eq([8, 4, 4, 4, 12].map(Some))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_by_how_it_is_written() {
        for (form, text, fits) in [
            (IdForm::Integer, "2104", true),
            (IdForm::Integer, "-1", true),
            (IdForm::Integer, "-", false),
            (IdForm::Integer, "Room 2104", false),
            (IdForm::Uuid, "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10", true),
            (IdForm::Uuid, "5B0C8C1E-6F0A-4A51-9D3C-0C5F2F1B7A10", true),
            (IdForm::Uuid, "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a1", false),
            (IdForm::Uuid, "5b0c8c1e6f0a4a519d3c0c5f2f1b7a10", false),
            (IdForm::Uuid, "gb0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10", false),
        ] {
            assert_eq!(form.fits(text), fits, "{text}");
        }
    }
}
