//! What all bulk tools share: which devices are meant, the preview, the one consent, and the report. It knows no single change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Item, Outcome, Run, row};
use xyte_mcp_runtime::dispatch::consent::Scene;
use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use super::fleet::{self, Device};
use super::offer::plain;
use super::pattern::like;
use super::space::Spaces;

/// Targets that a question names one by one, as many as one call has unless the operator lets it have more; whoever is asked about more is told how many.
const NAMED: usize = 50;

/// Which devices are meant: by all that is given, or by their ids.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) space: Option<String>,
    pub(super) model: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) ids: Option<Vec<String>>,
}

/// The selection that the arguments of a tool name; the generator writes a struct for each tool.
macro_rules! selection {
    ($call:expr) => {{
        let selector = $call.selector.as_ref();
        $crate::workflows::bulk::Selection {
            space: selector.and_then(|it| it.space.clone()),
            model: selector.and_then(|it| it.model.clone()),
            name: selector.and_then(|it| it.name.clone()),
            status: selector
                .and_then(|it| it.status)
                .and_then(|status| serde_json::json!(status).as_str().map(str::to_owned)),
            ids: $call.device_ids.clone(),
        }
    }};
}
pub(super) use selection;

/// Something that is left out, and why.
#[derive(Debug)]
pub(super) struct Excluded {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) why: String,
}

/// The devices that are meant, as far as they can be told.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) devices: Vec<Device>,
    pub(super) excluded: Vec<Excluded>,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

/// What a call would do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) operation: &'static str,
    /// What is done, for a person: `Reboot`.
    pub(super) what: String,
    /// What the targets are: `devices`.
    pub(super) kind: &'static str,
    pub(super) items: Vec<Item>,
    pub(super) excluded: Vec<Excluded>,
    pub(super) warnings: Vec<String>,
    /// What must still be so, besides the targets and their requests.
    pub(super) as_of: DateTime<Utc>,
}

/// What a consented call goes on with; a preview is answered already.
pub(super) enum Next {
    Answer(Computed),
    Apply(Plan),
}

impl Selection {
    /// Reads the devices that are meant: people agree to what is there, not to what was there a minute ago.
    pub(super) async fn read(&self, desk: &Desk<'_>) -> Result<Selected, Failure> {
        let desk = &desk.fresh();
        let by = [&self.space, &self.model, &self.name];
        let selects = by.iter().any(|it| it.is_some()) || self.status.is_some();
        if selects == self.ids.is_some() {
            return Err(Failure::invalid_arguments(
                "either `selector` with at least one member or `device_ids` is needed",
            ));
        }
        let scope = match &self.space {
            Some(space) => Some(Spaces::read(desk).await?.scope(space)?),
            None => None,
        };
        let read = fleet::devices(desk, None).await?;
        let mut warnings = read.warnings;
        if !read.complete || scope.as_ref().is_some_and(|scope| !scope.complete) {
            warnings.push("not everything could be read: targets may be missing".to_owned());
        }
        let fits = |device: &Device| {
            if let Some(ids) = &self.ids {
                return ids.contains(&device.id);
            }
            let model = device.model.as_ref().and_then(|model| model.name.as_deref());
            let inside =
                |ids: &BTreeSet<i64>| device.space_id().is_some_and(|id| ids.contains(&id));
            scope.as_ref().is_none_or(|scope| inside(&scope.ids))
                && like(self.model.as_deref(), model)
                && like(self.name.as_deref(), device.name.as_deref())
                && self.status.as_deref().is_none_or(|status| device.status() == status)
        };
        let all = read.complete;
        let devices: Vec<Device> = read.rows.into_iter().filter(fits).collect();
        let known = |id: &String| devices.iter().any(|device| device.id == *id);
        let named: BTreeSet<&String> = self.ids.iter().flatten().collect();
        let missing = named.into_iter().filter(|id| !known(id));
        let excluded = missing.map(|id| {
            // On a page that could not be read it may be.
            let why = if all {
                "no such device in the tenant of this key"
            } else {
                "not among the devices that could be read"
            };
            let why = why.to_owned();
            Excluded { id: id.clone(), name: String::new(), why }
        });
        let excluded = excluded.collect();
        Ok(Selected { devices, excluded, warnings, as_of: read.as_of })
    }
}

/// A device as its target is shown and compared.
pub(super) fn called(device: &Device) -> String {
    let name = device.name.as_deref().unwrap_or("unnamed");
    device.path().map_or_else(|| name.to_owned(), |path| format!("{name} ({path})"))
}

impl Plan {
    /// Shows the plan, or goes on with it when a person agreed to exactly this.
    pub(super) async fn settle(self, desk: &Desk<'_>) -> Result<Next, Failure> {
        let most = desk.bulk_max();
        if self.items.len() > most {
            let message = format!(
                "{} {} are meant; one call changes at most {most}",
                self.items.len(),
                self.kind
            );
            return Err(Failure::invalid_arguments(message).with_hint(
                "Nothing was sent. Narrow the selection, a building or a floor at a time.",
            ));
        }
        let scene = self.scene();
        if desk.is_dry_run() {
            return Ok(Next::Answer(self.preview(desk, &scene).await?));
        }
        if self.items.is_empty() {
            return Ok(Next::Answer(self.nothing()));
        }
        desk.consent(&scene).await?;
        desk.expect(self.items.len());
        Ok(Next::Apply(self))
    }

    /// What a person agrees to: every target with its request.
    fn scene(&self) -> Scene {
        let mut question = format!("{}: {} {}", self.what, self.items.len(), self.kind);
        for item in self.items.iter().take(NAMED) {
            let _infallible = write!(question, "\n- {} {}", quoted(&item.name), quoted(&item.id));
        }
        if self.items.len() > NAMED {
            let _infallible = write!(question, "\n- and {} more", self.items.len() - NAMED);
        }
        if !self.excluded.is_empty() {
            let _infallible = write!(question, "\nLeft out: {}", self.excluded.len());
        }
        let mut targets: Vec<Value> =
            self.items.iter().map(|item| json!([item.id, item.name, item.arguments])).collect();
        targets.sort_by_key(ToString::to_string);
        Scene { question, state: json!({"operation": self.operation, "targets": targets}) }
    }

    async fn preview(&self, desk: &Desk<'_>, scene: &Scene) -> Result<Computed, Failure> {
        let mut structured = json!({
            "dry_run": true,
            "targets": self.items.iter().map(|item| json!({"id": item.id, "name": item.name})).collect::<Vec<_>>(),
            "excluded": self.left_out(),
        });
        if let Some(first) = self.items.first() {
            structured["request"] = desk.describe(self.operation, &first.arguments).await?;
            let others = self.items.iter().any(|item| body(item) != body(first));
            if others || self.items.len() > 1 {
                let words = if others {
                    "the request is that of the first target; the others differ in address and values"
                } else {
                    "the request is that of the first target; the others differ in the id only"
                };
                structured["warnings"] = json!([words]);
            }
            if let Some(token) = desk.plan_token(scene) {
                structured["plan_token"] = json!(token);
            }
        }
        self.warn(&mut structured);
        let count = format!(
            "Preview: {} {} of {}, {} left out; nothing was sent.",
            self.what,
            self.items.len(),
            self.kind,
            self.excluded.len()
        );
        Ok(self.computed(structured, &count))
    }

    fn nothing(&self) -> Computed {
        let mut structured = json!({"targets": [], "excluded": self.left_out(), "outcomes": {}});
        self.warn(&mut structured);
        self.computed(structured, "Nothing is left to change; nothing was sent.")
    }

    /// What became of it all.
    pub(super) fn report(&self, run: &Run, more: Value) -> Computed {
        let mut structured = json!({
            "run": run.run,
            "outcomes": outcomes(run),
            "targets": run.items.iter().map(row).collect::<Vec<_>>(),
            "excluded": self.left_out(),
        });
        if let Value::Object(more) = more {
            for (name, value) in more {
                structured[name] = value;
            }
        }
        self.warn(&mut structured);
        self.computed(structured, &format!("{}: {}", self.what, counted(run)))
    }

    fn left_out(&self) -> Vec<Value> {
        let row = |it: &Excluded| json!({"id": it.id, "name": it.name, "why": it.why});
        self.excluded.iter().map(row).collect()
    }

    fn warn(&self, structured: &mut Value) {
        let mut warnings = structured["warnings"].as_array().cloned().unwrap_or_default();
        warnings.extend(self.warnings.iter().map(|it| json!(it)));
        structured["warnings"] = warnings.into();
    }

    fn computed(&self, structured: Value, first: &str) -> Computed {
        let text = text(&structured, first);
        Computed { structured, text, as_of: self.as_of }
    }
}

fn body(item: &Item) -> Vec<(&String, &Value)> {
    item.arguments.iter().filter(|(name, _)| !name.ends_with("_id")).collect()
}

/// How many of each outcome.
pub(super) fn outcomes(run: &Run) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for item in &run.items {
        *counts.entry(word(item.outcome)).or_default() += 1;
    }
    json!(counts)
}

fn counted(run: &Run) -> String {
    let outcomes = outcomes(run);
    let counts = outcomes.as_object().into_iter().flatten();
    counts.map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn word(outcome: Outcome) -> String {
    json!(outcome).as_str().unwrap_or_default().to_owned()
}

/// The same facts for readers: a line per target and per exclusion, which begins as no other line does.
pub(super) fn text(structured: &Value, first: &str) -> String {
    let mut text = first.to_owned();
    let words = |value: &Value, name: &str| quoted(value[name].as_str().unwrap_or_default());
    let line = |value: &Value, left_out: bool| {
        let mut line = format!(
            "\n- {}{} {}",
            if left_out { "left out: " } else { "" },
            words(value, "name"),
            words(value, "id")
        );
        for part in ["outcome", "why"] {
            if value[part].is_string() {
                line.extend([" | ", &words(value, part)]);
            }
        }
        line
    };
    for target in structured["targets"].as_array().into_iter().flatten() {
        text.push_str(&line(target, false));
    }
    for excluded in structured["excluded"].as_array().into_iter().flatten() {
        text.push_str(&line(excluded, true));
    }
    for name in ["request", "plan_token", "run", "report"] {
        if let Some(value) = structured.get(name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.extend(["\n", name, ": ", &value]);
        }
    }
    for warning in structured["warnings"].as_array().into_iter().flatten() {
        text.extend(["\nwarning: ", warning.as_str().unwrap_or_default()]);
    }
    text
}

/// The values that go with a change, as a person reads them: ` (input: hdmi1)`.
pub(super) fn valued(values: &Arguments) -> String {
    let shown =
        values.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(&plain(value))));
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

/// Arguments of an operation.
pub(super) fn arguments(members: Value) -> Arguments {
    match members {
        Value::Object(members) => members,
        _ => Arguments::new(),
    }
}
