//! Prompts: which a caller is shown, and their texts with the blanks filled in. It calls nothing.

use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;
use xyte_mcp_catalogue::prompt::{Blank, Prompt as Template};

use super::Server;
use crate::caller::{Caller, Selection};
use crate::catalogue::nearest;
use crate::service::Service;
use crate::text::{escape, is_hidden, quoted};

/// Longest text for a blank, in characters: names and reasons are far shorter.
const LONGEST: usize = 500;

/// The prompts that a selection shows: those whose tools it shows.
pub(super) fn shown<'s>(
    service: &'s Service,
    selection: &'s Selection,
) -> impl Iterator<Item = &'s Template> {
    service
        .catalogue
        .prompts
        .iter()
        .filter(move |prompt| lacks(service, selection, prompt).is_none())
}

/// A tool that the prompt names and the selection does not show.
fn lacks<'p>(service: &Service, selection: &Selection, prompt: &'p Template) -> Option<&'p str> {
    let is_there = |name: &&String| {
        let tool = service.catalogue.find(name);
        tool.is_some_and(|tool| {
            service.selects(tool, selection) && service.permits(tool, selection)
        })
    };
    prompt.tools.iter().find(|name| !is_there(name)).map(String::as_str)
}

/// A prompt as it is listed.
pub(super) fn listed(prompt: &Template) -> Prompt {
    let arguments = prompt.arguments.iter().map(|blank| {
        let words = match &blank.default {
            Some(default) => format!("{} Default: {default}.", blank.description),
            None => blank.description.clone(),
        };
        PromptArgument::new(&blank.name)
            .with_description(words)
            .with_required(blank.default.is_none())
    });
    let arguments = Some(arguments.collect::<Vec<_>>()).filter(|arguments| !arguments.is_empty());
    Prompt::new(&prompt.name, Some(&prompt.description), arguments).with_title(&prompt.title)
}

impl Server {
    /// A prompt by its name, if the caller is shown it.
    pub(super) fn prompt(&self, caller: &Caller, name: &str) -> Result<&Template, ErrorData> {
        let service = self.service();
        let all = &service.catalogue.prompts;
        let Some(prompt) = all.iter().find(|prompt| prompt.name == name) else {
            let near = nearest(name, all.iter().map(|prompt| prompt.name.as_str()));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let name = caller.redact(name);
            let message = format!("no prompt `{}`{near}", quoted(&name));
            return Err(ErrorData::invalid_params(message, None));
        };
        match lacks(service, &caller.selection, prompt) {
            None => Ok(prompt),
            Some(tool) => {
                let message = format!(
                    "the prompt `{name}` needs `{tool}`, which is not among the tools of this request"
                );
                Err(ErrorData::invalid_params(message, None))
            }
        }
    }
}

/// The text of a prompt with the blanks filled in.
pub(super) fn filled(
    prompt: &Template,
    arguments: Option<JsonObject>,
) -> Result<GetPromptResult, ErrorData> {
    let arguments = arguments.unwrap_or_default();
    let blanks = || prompt.arguments.iter().map(|blank| blank.name.as_str());
    if let Some(unknown) = arguments.keys().find(|name| !blanks().any(|blank| blank == *name)) {
        let near = nearest(unknown, blanks());
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let message = format!("`{}` has no argument `{}`{near}", prompt.name, quoted(unknown));
        return Err(ErrorData::invalid_params(message, None));
    }
    let mut text = String::new();
    let mut rest = prompt.text.as_str();
    // In one pass, so that braces in what somebody filled in stay braces.
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        match prompt.arguments.iter().find(|blank| blank.name == name) {
            Some(blank) => text.push_str(&value(prompt, blank, arguments.get(name))?),
            None => text.extend(["{", name, "}"]),
        }
        rest = after;
    }
    text.push_str(rest);
    let mut result = GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]);
    result.description = Some(prompt.description.clone());
    Ok(result)
}

/// What a person filled in, on one line and with nothing hidden in it, or the default.
fn value(prompt: &Template, blank: &Blank, given: Option<&Value>) -> Result<String, ErrorData> {
    let refuse = |what: String| ErrorData::invalid_params(what, None);
    let text = match given {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(number @ Value::Number(_)) => number.to_string(),
        Some(_) => return Err(refuse(format!("`{}` takes text", blank.name))),
    };
    if text.chars().count() > LONGEST {
        return Err(refuse(format!("`{}` has more than {LONGEST} characters", blank.name)));
    }
    if text.is_empty() {
        let missing = || refuse(format!("`{}` needs `{}`", prompt.name, blank.name));
        return blank.default.clone().ok_or_else(missing);
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) { escape(&mut shown, char) } else { shown.push(char) }
    }
    Ok(shown)
}
