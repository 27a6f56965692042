//! Corrections of the published document, each checked against what it corrects. Knows JSON, not OpenAPI.

use serde_json::Value;

use super::escape;
use crate::diagnostic::Diagnostic;
use crate::overrides::{Change, Patch};

/// Applies the patches in their order.
pub(crate) fn apply(document: &mut Value, patches: &[Patch], findings: &mut Vec<Diagnostic>) {
    for patch in patches {
        if let Err(fault) = apply_one(document, patch) {
            findings.push(*fault);
        }
    }
}

fn apply_one(document: &mut Value, patch: &Patch) -> Result<(), Box<Diagnostic>> {
    let pointer = patch.at.get_ref().as_str();
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return Err(Box::new(
            Diagnostic::overrides(
                "patch-pointer",
                patch.at.span(),
                format!("`{pointer}` is no JSON pointer"),
            )
            .help("a pointer starts with `/`; `/` inside a key is written `~1`"),
        ));
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    let present = document.pointer(pointer).cloned();
    let Some(container) = document.pointer_mut(parent) else {
        return Err(Box::new(nowhere(document, patch, parent)));
    };
    if key == "-" {
        return append(container, patch);
    }
    if present.as_ref() != patch.was.as_ref() {
        return Err(Box::new(stale(patch, present.as_ref())));
    }
    let change = match &patch.change {
        Change::Set(value) => Some(value.clone()),
        Change::Remove => None,
        Change::RenameTo(name) => return rename(container, &key, name.get_ref(), patch),
    };
    match (container, change) {
        (Value::Object(members), Some(value)) => {
            members.insert(key, value);
        }
        (Value::Object(members), None) => {
            members.remove(&key);
        }
        (Value::Array(elements), change) => {
            let at = key
                .parse::<usize>()
                .ok()
                .filter(|at| *at < elements.len() && at.to_string() == key);
            let Some(at) = at else { return Err(Box::new(stale(patch, present.as_ref()))) };
            match change {
                Some(value) => elements[at] = value,
                None => drop(elements.remove(at)),
            }
        }
        _ => return Err(Box::new(stale(patch, present.as_ref()))),
    }
    Ok(())
}

fn rename(
    container: &mut Value,
    key: &str,
    name: &str,
    patch: &Patch,
) -> Result<(), Box<Diagnostic>> {
    let Some(members) = container.as_object_mut() else { return Err(Box::new(stale(patch, None))) };
    if members.contains_key(name) {
        return Err(Box::new(
            Diagnostic::overrides(
                "stale-patch",
                patch.at.span(),
                format!("`{name}` is there already"),
            )
            .label("this patch would overwrite it")
            .help("remove the patch if the document was corrected"),
        ));
    }
    if let Some(value) = members.remove(key) {
        members.insert(name.to_owned(), value);
    }
    Ok(())
}

fn append(container: &mut Value, patch: &Patch) -> Result<(), Box<Diagnostic>> {
    let (Some(elements), Change::Set(value)) = (container.as_array_mut(), &patch.change) else {
        return Err(Box::new(stale(patch, None)));
    };
    let same = |element: &&Value| match (element.get("name"), value.get("name")) {
        (Some(name), Some(wanted)) => name == wanted && element.get("in") == value.get("in"),
        _ => *element == value,
    };
    if let Some(element) = elements.iter().find(same) {
        return Err(Box::new(stale(patch, Some(element))));
    }
    elements.push(value.clone());
    Ok(())
}

fn stale(patch: &Patch, present: Option<&Value>) -> Diagnostic {
    let found = match present {
        Some(value) => format!("the document has `{}` there", shortened(value)),
        None => "the document has nothing there that this patch could change".to_owned(),
    };
    Diagnostic::overrides(
        "stale-patch",
        patch.at.span(),
        format!("the patch of `{}` no longer fits", patch.at.get_ref()),
    )
    .label(found)
    .help("the platform moved: remove the patch, or bring its `was` up to date")
}

fn nowhere(document: &Value, patch: &Patch, parent: &str) -> Diagnostic {
    let fault = Diagnostic::overrides(
        "stale-patch",
        patch.at.span(),
        format!("the patch of `{}` no longer fits", patch.at.get_ref()),
    )
    .label(format!("the document has no `{parent}`"));
    let paths = document.get("paths").and_then(Value::as_object);
    let known: Vec<String> =
        paths.into_iter().flatten().map(|(path, _)| format!("/paths/{}", escape(path))).collect();
    fault
        .help("the platform moved: remove the patch, or bring its pointer up to date")
        .nearest(parent, known.iter().map(String::as_str))
}

const MOST_SHOWN: usize = 60; // Characters of a found value that fit beside a caret.

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
