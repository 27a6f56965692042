//! Consent: no change that needs a person is made before one agreed to exactly it, once.
//!
//! What was agreed to is a slip that the caller carries, sealed and bound to tenant, tool, arguments and target.
//! It knows neither MCP nor what the platform is.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xyte_mcp_catalogue::Class;

use crate::audit;
use crate::caller::{Caller, Digest, Transport};
use crate::catalogue::Tool;
use crate::decode::Options;
use crate::failure::{Failure, Wanted};
use crate::ledger::{Name, name};
use crate::person::{Question, Replied, Reply};
use crate::request::RequestId;
use crate::seal::{Broken, Purpose};
use crate::service::Service;
use crate::text::{hex, quoted};

/// How long a slip is good: long enough to read, too short to be forgotten about.
pub(crate) const LIFE: Duration = Duration::from_mins(10);

/// How long a used slip is remembered: longer than any is good.
const REMEMBERED: Duration = Duration::from_mins(15);

/// When people are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// They are asked where they can be; else a token does where the host asks its own user, over pipes, and nothing does over HTTP.
    #[default]
    Auto,
    /// They are asked, or the call is refused.
    Elicit,
    /// They are asked where they can be; else a token does.
    Token,
    /// Nobody is asked.
    Off,
}

impl Policy {
    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Elicit => "elicit",
            Self::Token => "token",
            Self::Off => "off",
        }
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "elicit" => Ok(Self::Elicit),
            "token" => Ok(Self::Token),
            "off" => Ok(Self::Off),
            _ => Err("auto, elicit, token or off".to_owned()),
        }
    }
}

/// What a person is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// In words.
    pub question: String,
    /// What must still be so when it happens.
    pub state: Value,
}

/// What was agreed to, as the caller carries it.
#[derive(Debug, Serialize, Deserialize)]
struct Slip {
    /// Where it is written down when it is used.
    place: String,
    id: String,
    tool: String,
    arguments: String,
    state: String,
}

/// How consent is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Free,
    Ask,
    Token,
    Refuse,
}

/// The consent to one call.
pub(super) struct Consent<'a> {
    service: &'a Service,
    tool: &'a Tool,
    tenant: Digest,
    arguments: String,
    way: Way,
    /// What the caller brought, opened.
    slip: Option<Slip>,
    /// Where it is told what was agreed to.
    told: &'a OnceLock<String>,
}

/// Whether the call needs a person, whatever the policy is.
pub(super) fn is_needed(service: &Service, tool: &Tool, arguments: &Map<String, Value>) -> bool {
    let asked_for = &service.settings.confirm_named;
    let consent = &tool.entry.consent;
    tool.entry.class == Class::Destructive
        || consent.always
        || (!asked_for.is_empty() && is_named(asked_for, &consent.named_by, arguments))
}

/// Whether it shows only while it is computed what is done.
fn may_be_needed(service: &Service, tool: &Tool) -> bool {
    tool.entry.is_computed() && !tool.is_read() && !service.settings.confirm_named.is_empty()
}

/// Whether the arguments name what the operator asks for; what says it in another way than exactly counts as naming it.
fn is_named(asked_for: &[String], named_by: &[String], arguments: &Map<String, Value>) -> bool {
    let Some((exact, others)) = named_by.split_first() else { return false };
    if others.iter().any(|name| arguments.contains_key(name)) {
        return true;
    }
    let Some(named) = arguments.get(exact).and_then(Value::as_str) else { return true };
    asked_for.iter().any(|name| name.trim().eq_ignore_ascii_case(named.trim()))
}

impl<'a> Consent<'a> {
    /// Looks at what the caller brought; what can be refused is refused before anything is read.
    pub(super) async fn prepare(
        service: &'a Service,
        caller: &Caller,
        (tool, arguments, options): (&'a Tool, &Map<String, Value>, &Options),
        (replied, told): (Option<&Replied>, &'a OnceLock<String>),
    ) -> Result<Self, Failure> {
        let needed = is_needed(service, tool, arguments);
        let way = way(service, caller, needed || may_be_needed(service, tool));
        let tenant = caller.tenant();
        let digest = audit::digest(arguments);
        let mut consent = Self { service, tool, tenant, arguments: digest, way, slip: None, told };
        if options.dry_run {
            return Ok(consent);
        }
        if needed && way == Way::Refuse {
            // Whoever cannot have it costs the platform nothing.
            let question = question(tool, &Value::Null, arguments);
            return Err(consent.wanted(&Scene { question, state: Value::Null }));
        }
        consent.slip = match (way, replied, &options.plan_token) {
            (Way::Ask, Some(replied), _) => Some(consent.heard(replied).await?),
            (Way::Token, _, Some(token)) => Some(consent.open(Purpose::Plan, token).await?),
            _ => None,
        };
        Ok(consent)
    }

    /// Whether what is changed has to be read first, for a person to be told or for it to be compared.
    pub(super) fn needs_scene(&self) -> bool {
        matches!(self.way, Way::Ask | Way::Token)
    }

    /// Whether the operator wants a person asked about one of these, which only a computed change finds out by reading.
    pub(super) fn asks_for(&self, names: &BTreeSet<&str>) -> bool {
        let asked_for = &self.service.settings.confirm_named;
        let fits =
            |name: &&str| asked_for.iter().any(|it| it.trim().eq_ignore_ascii_case(name.trim()));
        self.way != Way::Free && names.iter().any(fits)
    }

    /// Lets the change happen, once, or says what is missing.
    pub(super) async fn settle(&self, scene: &Scene) -> Result<(), Failure> {
        let slip = match (self.way, &self.slip) {
            (Way::Free, _) => return Ok(()),
            (Way::Refuse, _) | (Way::Ask | Way::Token, None) => return Err(self.wanted(scene)),
            (Way::Ask | Way::Token, Some(slip)) => slip,
        };
        if slip.state != state(scene) {
            return Err(plan(
                "plan_stale",
                "what was to be changed is not what it was when it was shown",
            ));
        }
        let held = self.service.ledger.put_new(self.used(&slip.id), "used", REMEMBERED).await?;
        if held.is_some() {
            return Err(used());
        }
        let _it_was_told_already = self.told.set(slip.id.clone());
        Ok(())
    }

    /// What makes a later call do what was shown here, where the policy lets it.
    pub(super) fn token(&self, scene: &Scene) -> Option<String> {
        (self.way == Way::Token).then(|| self.seal(Purpose::Plan, scene))
    }

    fn seal(&self, purpose: Purpose, scene: &Scene) -> String {
        let slip = Slip {
            place: self.service.ledger.place().to_owned(),
            id: RequestId::random().to_string(),
            tool: self.tool.name().to_owned(),
            arguments: self.arguments.clone(),
            state: state(scene),
        };
        let slip = serde_json::to_vec(&slip).unwrap_or_default();
        self.service.settings.seal.seal(purpose, self.tenant, Some(Utc::now() + LIFE), &slip)
    }

    /// The slip of a question that was answered; a no is written down, so that no later yes undoes it.
    async fn heard(&self, replied: &Replied) -> Result<Slip, Failure> {
        let slip = self.open(Purpose::Request, &replied.state).await?;
        let message = match replied.reply {
            Reply::Accepted => return Ok(slip),
            Reply::Declined => "the person said no",
            Reply::Cancelled => "the person gave no answer",
        };
        self.service.ledger.put(self.used(&slip.id), "declined", REMEMBERED).await?;
        Err(Failure::new("confirmation_declined", format!("{message}; nothing was changed"))
            .with_hint("That is final. Do not try again unless the person asks for it."))
    }

    async fn open(&self, purpose: Purpose, text: &str) -> Result<Slip, Failure> {
        let invalid = || plan("plan_invalid", "it was not given out by this server to this caller");
        let opened = self.service.settings.seal.open(purpose, self.tenant, text, Utc::now());
        let bytes = opened.map_err(|broken| match broken {
            Broken::Invalid => invalid(),
            Broken::Expired => plan("plan_expired", "it was good for ten minutes"),
        })?;
        let slip: Slip = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        if slip.place != self.service.ledger.place() {
            return Err(invalid());
        }
        if slip.tool != self.tool.name() || slip.arguments != self.arguments {
            return Err(plan(
                "plan_mismatch",
                "it was given out for another tool or other arguments",
            ));
        }
        match self.service.ledger.get(self.used(&slip.id)).await? {
            Some(_) => Err(used()),
            None => Ok(slip),
        }
    }

    fn used(&self, id: &str) -> Name {
        name("plan", self.tenant, &[id.as_bytes()])
    }

    /// What a call is told that came without consent.
    fn wanted(&self, scene: &Scene) -> Failure {
        let tool = self.tool.name();
        let message = format!("`{tool}` needs a person's consent. {}", scene.question);
        let (hint, wanted) = match self.way {
            Way::Ask => {
                let state = self.seal(Purpose::Request, scene);
                let question = Question { words: scene.question.clone(), state };
                ("A person is asked.", Wanted { question: Some(question), plan_token: None })
            }
            Way::Token => (
                "Nothing was sent. Show this to the user; when they agree, repeat the call with the same arguments and this plan_token within ten minutes.",
                Wanted { question: None, plan_token: Some(self.seal(Purpose::Plan, scene)) },
            ),
            Way::Free | Way::Refuse => (
                "Nothing was sent. This client cannot ask its user through the server, so a person has to do it elsewhere; the operator of this server decides whether plans do instead.",
                Wanted { question: None, plan_token: None },
            ),
        };
        let failure = Failure::new("confirmation_required", message).with_hint(hint);
        Failure { wanted: Some(Box::new(wanted)), ..failure }
    }
}

fn way(service: &Service, caller: &Caller, needed: bool) -> Way {
    let piped = matches!(caller.transport, Transport::Stdio);
    match service.settings.confirm {
        _ if !needed => Way::Free,
        Policy::Off => Way::Free,
        _ if caller.person.can_be_asked() => Way::Ask,
        Policy::Token => Way::Token,
        Policy::Auto if piped => Way::Token,
        Policy::Auto | Policy::Elicit => Way::Refuse,
    }
}

fn plan(code: &'static str, why: &str) -> Failure {
    Failure::new(code, format!("the plan cannot be carried out: {why}")).with_hint(
        "Nothing was sent. Preview the change again with dry_run, and let a person look at it.",
    )
}

fn used() -> Failure {
    plan("plan_used", "it was carried out or declined before; it holds once")
}

fn state(scene: &Scene) -> String {
    hex(&audit::digest_of(&scene.state))
}

/// The question about one object: what is done, to what, and with what.
pub(super) fn question(tool: &Tool, target: &Value, arguments: &Map<String, Value>) -> String {
    let title = tool.served.title.as_deref().unwrap_or(tool.name());
    let mut words = format!("{title}?");
    let (mut told, mut given) = (Vec::new(), Vec::new());
    tell("", target, &mut told);
    for (name, value) in arguments {
        tell(name, value, &mut given);
    }
    // What is said of the target already is not said twice.
    given.retain(|(_, text)| !told.iter().any(|(_, known)| known == text));
    for (name, text) in told.into_iter().chain(given) {
        words.extend(["\n", &quoted(&name), ": ", &quoted(&text)]);
    }
    if tool.entry.class == Class::Destructive {
        words.push_str("\nThere may be no way to undo this.");
    }
    words
}

/// Adds a line for every plain value, under its path.
fn tell(path: &str, value: &Value, told: &mut Vec<(String, String)>) {
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                tell(&below(name), member, told);
            }
        }
        // Some objects come in a list of one.
        Value::Array(items) if items.len() == 1 => tell(path, &items[0], told),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                tell(&below(&(at + 1).to_string()), item, told);
            }
        }
        Value::Null => {}
        value => told.push((path.to_owned(), plain(value))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_in_lines_of_words_and_shortens_no_list() {
        let ids: Vec<String> =
            (1..=3).map(|id| format!("{id:08}-0000-4000-8000-000000000000")).collect();
        let value = json!({"ids": ids, "one": ["x"], "deep": {"a": {"b": 1}, "none": null}});
        let mut told = Vec::new();
        tell("", &value, &mut told);
        let lines: Vec<String> =
            told.iter().map(|(name, text)| format!("{name}: {}", quoted(text))).collect();
        assert_eq!(
            lines,
            [
                "deep.a.b: 1",
                &format!("ids.1: {}", ids[0]),
                &format!("ids.2: {}", ids[1]),
                &format!("ids.3: {}", ids[2]),
                "one: x"
            ]
        );
    }

    #[test]
    fn a_command_named_in_another_way_than_exactly_counts_as_named() {
        let asked_for = ["reboot".to_owned()];
        let named_by = ["command", "name", "friendly_name"].map(str::to_owned);
        let named =
            |arguments: Value| is_named(&asked_for, &named_by, arguments.as_object().unwrap());
        assert!(named(json!({"command": " Reboot"})));
        assert!(named(json!({"friendly_name": "Restart now"})));
        assert!(named(json!({"command": "mute", "name": "reboot"})));
        assert!(named(json!({})));
        assert!(!named(json!({"command": "mute"})));
        assert!(!is_named(&asked_for, &[], &Map::new()));
    }
}
