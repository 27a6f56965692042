//! Findings about the inputs, and how a person sees them.
//!
//! A finding knows where it is and what to do about it; it does not know which part of the generator made it.

pub(crate) mod position;

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use position::{Lines, Tree};

/// A named input text.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Path shown to the maintainer.
    pub path: &'a str,
    /// Content.
    pub text: &'a str,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Stable name of the rule, in kebab case.
    pub rule: &'static str,
    /// Whether it stops the build.
    pub severity: Severity,
    /// Where the maintainer must look.
    pub place: Place,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What stands at the place.
    pub label: String,
    /// What to do about it.
    pub help: String,
}

/// Whether a finding stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Worth knowing; everything is generated.
    Warning,
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Bytes of the overrides.
    Overrides(Range<usize>),
    /// A JSON pointer into the document.
    Document(String),
    /// Bytes of the document, where it could not be parsed.
    DocumentBytes(Range<usize>),
}

impl Diagnostic {
    /// Makes an error in the overrides.
    pub fn overrides(rule: &'static str, span: Range<usize>, message: impl AsRef<str>) -> Self {
        Self::new(rule, Place::Overrides(span), message)
    }

    /// Makes an error in the document.
    pub fn document(
        rule: &'static str,
        pointer: impl Into<String>,
        message: impl AsRef<str>,
    ) -> Self {
        Self::new(rule, Place::Document(pointer.into()), message)
    }

    /// Makes an error at a place.
    pub fn new(rule: &'static str, place: Place, message: impl AsRef<str>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            place,
            message: visible(message.as_ref()).replace('\n', "\\n"), // build.rs prints it on a line of its own.
            label: String::new(),
            help: String::new(),
        }
    }

    /// Says what stands at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Suggests the candidate nearest to a word, or lists the candidates when they are few.
    #[must_use]
    pub fn nearest<'c>(self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Self {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        match nearest(word, candidates.iter().copied()) {
            Some(candidate) => self.help(format!("did you mean `{candidate}`?")),
            None if (1..=MOST_LISTED).contains(&candidates.len()) => {
                self.help(format!("known here: {}", quoted(&candidates)))
            }
            None => self,
        }
    }

    /// Turns the finding into a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

const MOST_LISTED: usize = 12; // A longer list hides the sentence it belongs to.
const LEAST_LIKENESS: f64 = 0.75; // Below this a suggestion confuses more than it helps.

/// Finds the candidate most like a word.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS)
        .max_by(|left, right| left.0.total_cmp(&right.0).then_with(|| right.1.cmp(left.1)))
        .map(|(_, candidate)| candidate)
}

/// Writes words as `a`, `b`, `c`.
pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Every finding of one run, with the texts it needs to show them.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The findings, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    rendered: String, // Made once, so that the report outlives the texts it quotes.
}

impl Report {
    /// Sorts the findings and renders them.
    pub fn new(
        document: Source<'_>,
        overrides: Source<'_>,
        mut diagnostics: Vec<Diagnostic>,
    ) -> Self {
        let tree = OnceCell::new();
        let locate = |place: &Place| match place {
            Place::Overrides(span) => (0, within(overrides.text, span.clone())),
            Place::Document(pointer) => {
                let tree = tree.get_or_init(|| Tree::parse(document.text));
                (1, within(document.text, tree.find(pointer)))
            }
            Place::DocumentBytes(span) => (1, within(document.text, span.clone())),
        };
        diagnostics.sort_by_cached_key(|finding| {
            let (file, span) = locate(&finding.place);
            (file, span.start, span.end, finding.rule, finding.message.clone())
        });
        diagnostics.dedup();
        let sources = [overrides, document].map(|source| (source.path, Lines::new(source.text)));
        let rendered = diagnostics
            .iter()
            .map(|finding| {
                let (file, span) = locate(&finding.place);
                let (path, lines) = &sources[file];
                render(finding, path, lines, span)
            })
            .collect::<Vec<_>>()
            .join("\n\n");
        Self { diagnostics, rendered }
    }

    /// Says in one line how much there is to mend.
    pub fn summary(&self) -> String {
        let errors =
            self.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
        match errors {
            1 => "1 fault in the document or the overrides, shown above".to_owned(),
            count => format!("{count} faults in the document or the overrides, shown above"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.rendered)
    }
}

const LONGEST_LINE: usize = 400; // Bytes; of a longer line, as in a minified document, only a part is shown.
const BESIDE: usize = 60; // Bytes shown on both sides of a place in such a line.

fn render(finding: &Diagnostic, path: &str, lines: &Lines<'_>, span: Range<usize>) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let (line, column) = lines.at(span.start);
    let whole = lines.around(&span);
    let long = whole.len() > LONGEST_LINE;
    let shown = if long {
        let end = span.end.min(span.start + LONGEST_LINE);
        within(lines.text(), span.start.saturating_sub(BESIDE).max(whole.start)..end + BESIDE)
    } else {
        whole // The renderer reads all it is given, for each finding anew.
    };
    let marked = within(
        &lines.text()[shown.clone()],
        span.start - shown.start..span.end.min(shown.end) - shown.start,
    );
    let annotation = AnnotationKind::Primary.span(marked);
    let annotation = if finding.label.is_empty() {
        annotation
    } else {
        annotation.label(visible(&finding.label))
    };
    let snippet = Snippet::source(&lines.text()[shown]).line_start(line).annotation(annotation);
    let group = level.primary_title(visible(&finding.message)).id(finding.rule);
    let group = if long {
        let origin = Origin::path(path).line(line).char_column(column);
        group.element(origin).element(snippet)
    } else {
        group.element(snippet.path(path))
    };
    let group = match finding.help.as_str() {
        "" => group,
        help => group.element(Level::HELP.message(visible(help))),
    };
    Renderer::plain().render(&[group])
}

/// Keeps a span inside a text and on character boundaries, since a faulty one must not hide the fault.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// Shows control and direction characters of a hostile input as escapes.
pub(crate) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        if is_invisible(character) && character != '\n' {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
        out
    })
}

/// Tells characters that change how text looks without being seen: controls, zero-width, bidirectional.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
