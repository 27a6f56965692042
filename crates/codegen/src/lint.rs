//! Whether clients take what is served: rules over every tool, each with the clients that need it and the reason.
//!
//! Reads the catalogue only; it does not know where the schemas come from.

mod schemas;

use std::collections::BTreeMap;

use serde_json::Value;
use xyte_mcp_catalogue::{Catalogue, Entry};

use crate::diff::tokens::{MOST_DEFAULT_TOKENS, of as tokens_of};
use crate::resolve::MOST_DEFAULT_TOOLS;

/// A rule that served tools obey.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable name, in kebab case.
    pub name: &'static str,
    /// Clients that refuse or misread a tool that breaks it.
    pub clients: &'static str,
    /// What goes wrong.
    pub reason: &'static str,
}

/// Where a rule is broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Name of the tool; empty where it is a set.
    pub tool: String,
    /// JSON pointer into the tool.
    pub pointer: String,
    /// The rule.
    pub rule: &'static Rule,
    /// What stands there, as a fragment.
    pub found: String,
}

/// What the rules say of a catalogue, and what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Lint {
    /// Every broken rule.
    pub faults: Vec<Fault>,
    /// Tokens of each tool, dearest first.
    pub tools: Vec<(String, usize)>,
    /// Tools and tokens of each toolset.
    pub toolsets: BTreeMap<String, (usize, usize)>,
    /// Tools and tokens of the default set.
    pub default: (usize, usize),
    /// Tools and tokens of everything.
    pub all: (usize, usize),
    /// Characters of the longest name with the longest prefix of a client.
    pub longest: (String, usize),
}

const EVERY: &str = "all clients";

const NAME: Rule = Rule {
    name: "name",
    clients: EVERY,
    reason: "names are `a` to `z`, `0` to `9` and `_`, at most 40 characters: the narrowest of what clients allow",
};
const PREFIX: Rule = Rule {
    name: "name-with-prefix",
    clients: "Claude, Cursor, VS Code",
    reason: "the client puts the server's name in front, and its model takes 64 characters",
};
const TITLE: Rule = Rule { name: "title", clients: EVERY, reason: "people choose tools by it" };
const DESCRIPTION: Rule =
    Rule { name: "description", clients: EVERY, reason: "models choose tools by it" };
const ANNOTATIONS: Rule = Rule {
    name: "annotations",
    clients: "Claude, VS Code, ChatGPT",
    reason: "a hint that is missing counts as its worst value, and the user is asked each time",
};
const DEFAULT_SET: Rule = Rule {
    name: "default-set",
    clients: EVERY,
    reason: "the model pays for the default set on every turn, and chooses worse among more than 30 tools",
};

/// What clients put in front of a tool's name, with a server called `xyte`.
const PREFIXES: [&str; 3] = ["mcp__xyte__", "mcp_xyte_", "xyte-"];
const LONGEST_SENT: usize = 64;
const LONGEST_NAME: usize = 40;

/// Applies every rule.
pub fn lint(catalogue: &Catalogue) -> Lint {
    let mut lint = Lint {
        faults: Vec::new(),
        tools: Vec::new(),
        toolsets: BTreeMap::new(),
        default: (0, 0),
        all: (0, 0),
        longest: (String::new(), 0),
    };
    for entry in &catalogue.entries {
        lint.faults.extend(words(entry));
        lint.faults.extend(schemas::check(entry));
        lint.count(entry);
    }
    if lint.default.0 > MOST_DEFAULT_TOOLS || lint.default.1 > MOST_DEFAULT_TOKENS {
        let found = format!("{} tools and {} tokens", lint.default.0, lint.default.1);
        lint.faults.push(Fault {
            tool: String::new(),
            pointer: String::new(),
            rule: &DEFAULT_SET,
            found,
        });
    }
    lint.tools.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    lint
}

impl Lint {
    fn count(&mut self, entry: &Entry) {
        let name = name(entry).to_owned();
        let tokens = tokens_of(entry);
        let add = |sum: &mut (usize, usize)| *sum = (sum.0 + 1, sum.1 + tokens);
        add(self.toolsets.entry(entry.toolset.clone()).or_default());
        add(&mut self.all);
        if entry.default {
            add(&mut self.default);
        }
        let sent = PREFIXES[0].len() + name.len();
        if sent > self.longest.1 {
            self.longest = (format!("{}{name}", PREFIXES[0]), sent);
        }
        self.tools.push((name, tokens));
    }
}

fn name(entry: &Entry) -> &str {
    entry.tool.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Starts a fault of a tool.
fn fault(entry: &Entry, pointer: &str, rule: &'static Rule, found: impl Into<String>) -> Fault {
    Fault { tool: name(entry).to_owned(), pointer: pointer.to_owned(), rule, found: found.into() }
}

/// Names, title, description, hints.
fn words(entry: &Entry) -> Vec<Fault> {
    let mut faults = Vec::new();
    let names = std::iter::once(name(entry)).chain(entry.aliases.iter().map(String::as_str));
    for name in names {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(legal) {
            faults.push(fault(
                entry,
                "/name",
                &NAME,
                format!("`{name}`, {} characters", name.len()),
            ));
        }
        let longest =
            PREFIXES.iter().map(|prefix| prefix.len() + name.len()).max().unwrap_or_default();
        if longest > LONGEST_SENT {
            faults.push(fault(
                entry,
                "/name",
                &PREFIX,
                format!("`{}{name}`, {longest} characters", PREFIXES[0]),
            ));
        }
    }
    for (key, rule) in [("title", &TITLE), ("description", &DESCRIPTION)] {
        let text = entry.tool.get(key).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            faults.push(fault(entry, &format!("/{key}"), rule, "nothing"));
        }
    }
    for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
        let pointer = format!("/annotations/{hint}");
        let set = entry.tool.get("annotations").and_then(|hints| hints.get(hint));
        if !set.is_some_and(Value::is_boolean) {
            faults.push(fault(entry, &pointer, &ANNOTATIONS, "nothing"));
        }
    }
    faults
}
