//! The files of the operator's folder, and nothing outside of it. It does not know what is in them.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::fault::Fault;

/// A preset is a page of text; anything longer is another file by mistake.
const MOST_BYTES: u64 = 64 * 1024;
/// More presets than anybody chooses from.
const MOST_FILES: usize = 200;
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// The text of one preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// The file as messages name it.
    pub(crate) shown: String,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Reads every `*.yaml` and `*.yml` of a folder, by name; hidden files and other endings are none of ours.
pub(crate) fn read(folder: &Path, faults: &mut Vec<Fault>) -> Vec<Text> {
    let listed = fs::canonicalize(folder).and_then(|root| {
        let entries = fs::read_dir(&root)?.collect::<Result<Vec<_>, _>>()?;
        Ok((root, entries))
    });
    let (root, entries) = match listed {
        Ok(listed) => listed,
        Err(err) => {
            faults.push(fault(&folder.display().to_string(), format!("it cannot be read: {err}")));
            return Vec::new();
        }
    };
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.') && stem(name).is_some());
    names.sort();
    if names.len() > MOST_FILES {
        let message = format!("it holds {} presets; at most {MOST_FILES} are read", names.len());
        faults.push(fault(&folder.display().to_string(), message));
        return Vec::new();
    }
    let mut texts: Vec<Text> = Vec::new();
    for name in names {
        let shown = folder.join(&name).display().to_string();
        match one(&root, &name) {
            Ok((name, _)) if texts.iter().any(|text| text.name == name) => {
                faults.push(fault(
                    &shown,
                    format!("another file of this folder is the preset `{name}`, too"),
                ));
            }
            Ok((name, text)) => texts.push(Text { shown, name, text }),
            Err(message) => faults.push(fault(&shown, message)),
        }
    }
    texts
}

fn fault(file: &str, message: String) -> Fault {
    Fault { file: file.to_owned(), place: None, message }
}

fn stem(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    ENDINGS.contains(&ending).then_some(stem)
}

/// Name and text of one file.
fn one(root: &Path, file: &str) -> Result<(String, String), String> {
    let name = stem(file).unwrap_or_default();
    let legal = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '_' | '-');
    if name.is_empty() || !name.chars().all(legal) {
        return Err(format!(
            "a preset is called by its file; `{}` is no name of lower-case letters, digits, `_` and `-`",
            name.escape_debug()
        ));
    }
    // A link within the folder is how orchestrators mount files; one that leads out of it could show any file of this machine.
    let path =
        fs::canonicalize(root.join(file)).map_err(|err| format!("it cannot be read: {err}"))?;
    if !path.starts_with(root) {
        return Err("it leads out of the folder; presets are files in it".to_owned());
    }
    if !path.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|err| format!("it cannot be read: {err}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {} KiB; it is no preset", MOST_BYTES / 1024));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok((name.to_owned(), text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}
