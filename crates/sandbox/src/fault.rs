//! Faults: what goes wrong, for which requests, and how often; knows no object of the platform.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::{Error, scenario};

/// The header with which a request asks for a fault of its own.
pub(crate) const HEADER: &str = "x-sandbox-fault";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing is done, and this is the answer.
    Status { status: StatusCode, retry_after: Option<u32> },
    /// Nothing is done, and the answer is a page of a proxy.
    Html,
    /// Nothing is done, and nothing is answered.
    Hang,
    /// Nothing is done, and the connection ends.
    DropBefore,
    /// It is done, and the connection ends without an answer.
    DropAfter,
    /// It is done, and half of the answer arrives.
    Truncate,
    /// It is done, and answered late.
    Slow(Duration),
}

/// Which of the requests that fit are hit, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    All,
    Only(u64),
    From(u64),
    First(u64),
}

/// One rule.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// As it was written.
    text: String,
    effect: Effect,
    methods: Vec<Method>,
    path: Option<String>,
    query: Vec<(String, String)>,
    key: Option<String>,
    turns: Turns,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    /// The letter of its key.
    pub(crate) key: Option<&'a str>,
}

impl Fault {
    /// Reads a rule, or one of the names of [`scenario::FAULTS`].
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let named = scenario::FAULTS.iter().find(|(name, _)| *name == text.trim());
        let rule = named.map_or(text, |(_, rule)| rule).trim();
        let wrong = |why: String| Error::NoFault { text: text.to_owned(), why };
        let mut words = rule.split_whitespace();
        let effect = effect(words.next().unwrap_or_default()).map_err(wrong)?;
        let mut fault = Self {
            text: rule.to_owned(),
            effect,
            methods: Vec::new(),
            path: None,
            query: Vec::new(),
            key: None,
            turns: Turns::All,
        };
        for word in words {
            fault.narrow(word).map_err(wrong)?;
        }
        Ok(fault)
    }

    fn narrow(&mut self, word: &str) -> Result<(), String> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || match value.parse::<u64>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("`{name}` takes a number from 1")),
        };
        match name {
            "method" => {
                let methods = value.split(',').map(|name| Method::from_bytes(name.as_bytes()));
                let methods: Result<_, _> = methods.collect();
                self.methods = methods.map_err(|_| "`method` takes names such as GET,POST")?;
            }
            "path" if !value.is_empty() => self.path = Some(value.to_owned()),
            "query" => {
                let pair = value.split_once('=').ok_or("`query` takes NAME=VALUE")?;
                self.query.push((pair.0.to_owned(), pair.1.to_owned()));
            }
            "key" if !value.is_empty() => self.key = Some(value.to_owned()),
            "nth" => self.turns = Turns::Only(number()?),
            "from" => self.turns = Turns::From(number()?),
            "times" => self.turns = Turns::First(number()?),
            "retry-after" => match &mut self.effect {
                Effect::Status { retry_after, .. } => {
                    *retry_after = Some(value.parse().map_err(|_| "`retry-after` takes seconds")?);
                }
                _ => return Err("`retry-after` belongs to a status".to_owned()),
            },
            _ => {
                return Err(format!(
                    "`{word}` is none of method=, path=, query=, key=, nth=, from=, times=, retry-after="
                ));
            }
        }
        Ok(())
    }

    fn fits(&self, met: Met<'_>) -> bool {
        (self.methods.is_empty() || self.methods.contains(met.method))
            && self.path.as_ref().is_none_or(|path| like(path, met.path))
            && self.query.iter().all(|pair| met.query.contains(pair))
            && self.key.as_ref().is_none_or(|key| met.key == Some(key))
    }

    fn hits(&self, turn: u64) -> bool {
        match self.turns {
            Turns::All => true,
            Turns::Only(nth) => turn == nth,
            Turns::From(nth) => turn >= nth,
            Turns::First(times) => turn <= times,
        }
    }
}

/// The first word of a rule.
fn effect(word: &str) -> Result<Effect, String> {
    if let Some(milliseconds) = word.strip_prefix("slow=") {
        let milliseconds = milliseconds.parse().map_err(|_| "`slow` takes milliseconds")?;
        return Ok(Effect::Slow(Duration::from_millis(milliseconds)));
    }
    Ok(match word {
        "html" => Effect::Html,
        "hang" => Effect::Hang,
        "drop-before" => Effect::DropBefore,
        "drop-after" => Effect::DropAfter,
        "truncate" => Effect::Truncate,
        _ => {
            let status = word.parse().ok().filter(|status| (400..600).contains(status));
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            Effect::Status { status: status.ok_or_else(grammar)?, retry_after: None }
        }
    })
}

/// How a rule begins.
fn grammar() -> String {
    let names: Vec<&str> = scenario::FAULTS.iter().map(|(name, _)| *name).collect();
    format!(
        "it begins with a status from 400 to 599, slow=MILLISECONDS, hang, html, truncate, \
         drop-before or drop-after, or is one of {}",
        names.join(", ")
    )
}

/// Whether `text` fits `pattern`, in which `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    let mut ends = text.char_indices().map(|(place, _)| place).chain([text.len()]);
    ends.any(|end| like(rest, &text[end..]))
}

/// The rules in force, each with the number of requests that fitted it.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<(Fault, u64)>>,
}

impl Faults {
    pub(crate) fn new(rules: &[Fault]) -> Self {
        let faults = Self::default();
        faults.add(rules);
        faults
    }

    fn rules(&self) -> MutexGuard<'_, Vec<(Fault, u64)>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, rules: &[Fault]) {
        self.rules().extend(rules.iter().map(|rule| (rule.clone(), 0)));
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    pub(crate) fn view(&self) -> Value {
        let rules = self.rules();
        let rule =
            |(fault, fitted): &(Fault, u64)| json!({ "fault": fault.text, "fitted": fitted });
        rules.iter().map(rule).collect()
    }

    /// The fault of a request: the one it asks for, else the first rule whose turn it is.
    /// Every rule counts every request that fits it.
    pub(crate) fn meet(
        &self,
        met: Met<'_>,
        headers: &HeaderMap,
    ) -> Result<Option<(Effect, String)>, Error> {
        let mut hit = None;
        for (fault, fitted) in self.rules().iter_mut().filter(|(fault, _)| fault.fits(met)) {
            *fitted += 1;
            if hit.is_none() && fault.hits(*fitted) {
                hit = Some((fault.effect, fault.text.clone()));
            }
        }
        let Some(asked) = headers.get(HEADER) else { return Ok(hit) };
        let asked = Fault::parse(&String::from_utf8_lossy(asked.as_bytes()))?;
        Ok(Some((asked.effect, asked.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(path: &str) -> Met<'_> {
        Met { method: &Method::POST, path, query: &[], key: Some("A") }
    }

    #[test]
    fn a_rule_hits_the_requests_that_fit_it_when_their_turn_comes() {
        let rule = Fault::parse("500 method=POST,PUT path=/a/*/commands key=A nth=2").unwrap();
        let faults = Faults::new(&[rule]);
        let hit = |path| faults.meet(met(path), &HeaderMap::new()).unwrap().is_some();
        let paths =
            ["/a/1/commands", "/a/1/notes", "/b/1/commands", "/a/2/commands", "/a/3/commands"];
        assert_eq!(paths.map(hit), [false, false, false, true, false]);
        assert_eq!(faults.view()[0]["fitted"], 3);
    }

    #[test]
    fn every_named_fault_is_a_rule_and_a_wrong_word_is_named() {
        for (name, _) in scenario::FAULTS {
            assert!(Fault::parse(name).is_ok(), "{name}");
        }
        let told = |text| Fault::parse(text).unwrap_err().to_string();
        assert!(told("200").contains("a status from 400 to 599"));
        assert!(told("500 moon=1").contains("`moon=1` is none of method="));
        assert!(told("hang nth=0").contains("a number from 1"));
        assert!(told("hang retry-after=2").contains("belongs to a status"));
    }
}
