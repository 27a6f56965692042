//! What a change is done to: read before it, so that a person can be told and a later look can tell whether it is the same.

use serde_json::{Map, Value, json};

use super::consent::{Consent, Scene, question};
use super::{Errand, Fetched};
use crate::decode::Options;
use crate::failure::Failure;
use crate::shape::Shaped;
use crate::shape::projection::{Tree, project};

/// Reads the target of a change, and what else it names; where no operation tells it, its arguments do.
///
/// # Errors
/// When it is not there, or cannot be read: nobody can agree to what cannot be told.
pub(super) async fn look(errand: &Errand<'_>, consent: &Consent<'_>) -> Result<Scene, Failure> {
    let &Errand { service, tool, arguments, .. } = errand;
    let mut state = target(errand).await?;
    let desk = errand.desk(consent);
    let names = service.api.names(&tool.entry.operation, &desk, arguments).await?;
    match &mut state {
        Value::Object(members) => members.extend(names),
        state if !names.is_empty() => *state = names.into(),
        _ => {}
    }
    Ok(Scene { question: question(tool, &state, arguments), state })
}

/// The declared members of what is changed.
async fn target(errand: &Errand<'_>) -> Result<Value, Failure> {
    let &Errand { service, tool, arguments, .. } = errand;
    let declared = tool.entry.consent.target.as_ref();
    let found = declared
        .and_then(|target| Some((target, service.catalogue.find_operation(&target.operation)?)));
    let Some((target, reading)) = found.filter(|(_, reading)| reading.is_read()) else {
        return Ok(Value::Null);
    };
    let own = reading.entry.arguments.iter().map(|argument| &argument.name);
    let given: Map<String, Value> =
        own.filter_map(|name| Some((name.clone(), arguments.get(name)?.clone()))).collect();
    let options = Options { fresh: true, ..Options::default() };
    let look = Errand { tool: reading, arguments: &given, options: &options, ..*errand };
    let Fetched::Answered(answered) = look.fetch(Vec::new()).await? else {
        return Err(Failure::unknown_operation(&target.operation));
    };
    let tree = Tree::new(target.columns.iter().map(String::as_str));
    project(&answered.reply.body, &tree).map_err(|err| look.unreadable(&answered, &err))
}

/// Whether what was to be deleted is there, where the platform tells it under the same address.
pub(super) async fn remains(errand: &Errand<'_>) -> Option<String> {
    let entry = &errand.tool.entry;
    let reading = &entry.consent.target.as_ref()?.operation;
    let reading = errand.service.catalogue.find_operation(reading)?;
    if entry.method != "DELETE" || reading.entry.path != entry.path {
        return None;
    }
    let words = match target(errand).await {
        Ok(_) => "the platform still has it",
        Err(failure) if failure.status == Some(404) => "the platform does not have it any more",
        Err(_) => return None,
    };
    Some(words.to_owned())
}

/// Adds to a preview what the change is done to, and what carries it out.
pub(super) fn show(shaped: &mut Shaped, scene: &Scene, consent: &Consent<'_>) {
    let mut structured = std::mem::take(&mut shaped.structured);
    if !scene.state.is_null() {
        structured["target"] = scene.state.clone();
    }
    if consent.needs_scene() {
        structured["question"] = json!(scene.question);
    }
    if let Some(token) = consent.token(scene) {
        structured["plan_token"] = json!(token);
    }
    *shaped = Shaped::of(structured);
}
