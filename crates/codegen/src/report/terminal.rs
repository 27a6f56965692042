//! The report for a terminal: wrapped at its width, in color where one can be seen.

use super::lines::{self, LISTED, Line, cosmetic, place, summary};
use super::tasks::tasks;
use super::{outcome, words};
use crate::diff::tokens::Count;
use crate::diff::{Changes, Effect, Proposal};

/// How the report is to look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colors can be seen.
    pub color: bool,
    /// Whether cosmetic changes are listed.
    pub verbose: bool,
}

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const GREEN: &str = "1;32";
const BOLD: &str = "1";
const DIM: &str = "2";

const MOST_TASKS: usize = 100; // Nobody mends more by hand: such a document is another one.

/// Writes the report.
pub fn terminal(changes: &Changes, look: Look) -> String {
    let mut page = Page { look, out: String::new() };
    page.head(changes);
    for (effect, title) in LISTED {
        let lines = lines::lines(changes, effect);
        if !lines.is_empty() {
            page.title(title, color_of(effect));
            page.lines(&lines);
            if effect == Effect::BreakingTyped {
                page.wrapped(lines::BY_HAND, 2);
            }
        }
    }
    page.proposals(changes);
    page.decisions(changes);
    page.cosmetic(changes);
    page.tokens(changes);
    page.advice(changes);
    page.out
}

fn color_of(effect: Effect) -> &'static str {
    match effect {
        Effect::Breaking => RED,
        Effect::BreakingTyped | Effect::Deprecation => YELLOW,
        _ => GREEN,
    }
}

struct Page {
    look: Look,
    out: String,
}

impl Page {
    fn paint(&self, text: &str, code: &str) -> String {
        if self.look.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn head(&mut self, changes: &Changes) {
        let side = |side: &crate::diff::Side| {
            format!(
                "{} ({}, {} operations)",
                side.path,
                words::version(&side.version),
                side.operations
            )
        };
        self.wrapped(&format!("{} → {}", side(&changes.before), side(&changes.after)), 0);
        let summary = summary(changes);
        let outcome = self.paint(outcome(changes), BOLD);
        let text = if summary.is_empty() { outcome } else { format!("{outcome} {summary}.") };
        self.wrapped(&text, 0);
    }

    fn title(&mut self, title: &str, code: &str) {
        let title = self.paint(title, code);
        self.out.extend(["\n", &title, "\n"]);
    }

    fn lines(&mut self, lines: &[Line]) {
        for line in lines {
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line) {
        let names = self.paint(&line.names.join(", "), BOLD);
        let colon = if line.names.iter().all(String::is_empty) { "" } else { ": " };
        let remark =
            if line.remark.is_empty() { String::new() } else { format!(" ({})", line.remark) };
        let spot = line.spot.as_ref().map(|spot| format!(" {}", self.paint(&place(spot), DIM)));
        let text = format!("{names}{colon}{}{remark}{}", line.text, spot.unwrap_or_default());
        self.wrapped(&text, 2);
    }

    fn proposals(&mut self, changes: &Changes) {
        if changes.proposals.is_empty() {
            return;
        }
        self.title("New operations, to decide", YELLOW);
        let longest = changes.proposals.iter().map(|proposal| proposal.name.len()).max();
        let mut toolset = "";
        for proposal in &changes.proposals {
            if proposal.toolset != toolset {
                toolset = &proposal.toolset;
                let text = format!("toolset {}", self.paint(toolset, BOLD));
                self.wrapped(&text, 2);
            }
            self.proposal(proposal, longest.unwrap_or_default());
        }
        let (tools, tokens) = changes.tokens.default.room();
        let room = format!("The default set has room for {tools} more tools and {tokens} tokens.");
        self.wrapped(&room, 2);
    }

    fn proposal(&mut self, proposal: &Proposal, width: usize) {
        let name = self.paint(&format!("{:<width$}", proposal.name), BOLD);
        let class = super::class(proposal.class);
        let row = format!(
            "    {name}  {class:<11} {:>4} tokens  {} {}",
            proposal.tokens,
            proposal.method,
            words::clean(&proposal.path)
        );
        self.out.push_str(&row);
        self.out.push('\n');
        let words = words::first_sentence(&proposal.description);
        self.wrapped(&self.paint(words, DIM), 8);
        for note in super::notes(proposal) {
            self.wrapped(&crate::diagnostic::visible(&note), 8);
        }
    }

    fn decisions(&mut self, changes: &Changes) {
        if changes.decisions.is_empty() {
            return;
        }
        self.title("To mend before it can be in force", YELLOW);
        let tasks = tasks(changes);
        let shown = if self.look.verbose { tasks.len() } else { MOST_TASKS };
        if let Some(more) = tasks.len().checked_sub(shown).filter(|more| *more > 0) {
            self.wrapped(&format!("The first {shown}; `--verbose` lists {more} more."), 2);
        }
        for task in tasks.iter().take(shown) {
            let spot = self.paint(&task.place, BOLD);
            self.wrapped(&format!("{spot}: {}: {}", task.rule, task.message), 2);
            if !task.help.is_empty() {
                self.wrapped(&format!("help: {}", task.help), 6);
            }
        }
    }

    fn cosmetic(&mut self, changes: &Changes) {
        let counts = cosmetic(changes);
        if counts.is_empty() {
            return;
        }
        self.title("Cosmetic", GREEN);
        if self.look.verbose {
            self.lines(&lines::lines(changes, Effect::Cosmetic));
            return;
        }
        let parts: Vec<String> =
            counts.iter().map(|(count, what)| format!("{what}: {count}")).collect();
        self.wrapped(&format!("{}. `--verbose` lists them.", parts.join("; ")), 2);
    }

    fn tokens(&mut self, changes: &Changes) {
        let tokens = &changes.tokens;
        let moved = |count: &Count| count.before != count.after || count.proposed > 0;
        if !moved(&tokens.all) {
            return;
        }
        self.title("Tokens of tools/list", BOLD);
        let rows = tokens
            .toolsets
            .iter()
            .filter(|(_, count)| moved(count))
            .map(|(name, count)| (name.as_str(), count));
        let sums = [("default set", &tokens.default), ("all", &tokens.all)];
        for (name, count) in rows.chain(sums) {
            let change = super::signed(count.before, count.after);
            let proposed = if count.proposed > 0 {
                format!("  +{} proposed", count.proposed)
            } else {
                String::new()
            };
            let row = format!(
                "  {name:<22}{:>7} → {:>6}  {change:>6}{proposed}",
                count.before, count.after
            );
            self.out.push_str(row.trim_end());
            self.out.push('\n');
        }
    }

    fn advice(&mut self, changes: &Changes) {
        let advice = &changes.advice;
        let next = if advice.next == advice.now {
            format!("Version: stays {}: {}.", advice.now, advice.reason)
        } else {
            format!("Version: {} → {}: {}.", advice.now, advice.next, advice.reason)
        };
        self.out.push('\n');
        self.wrapped(&next, 0);
    }

    /// Writes a paragraph, its later lines indented deeper than its first.
    fn wrapped(&mut self, text: &str, indent: usize) {
        let mut line = " ".repeat(indent);
        let mut filled = indent;
        let mut empty = true;
        for word in text.split(' ') {
            let width = visible_width(word);
            if !empty && filled + 1 + width > self.look.width {
                self.out.push_str(line.trim_end());
                self.out.push('\n');
                line = " ".repeat(indent + 4);
                filled = indent + 4;
                empty = true;
            }
            if !empty {
                line.push(' ');
                filled += 1;
            }
            line.push_str(word);
            filled += width;
            empty = false;
        }
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

/// Characters of a word without its colors.
fn visible_width(word: &str) -> usize {
    let mut width = 0;
    let mut escaped = false;
    for character in word.chars() {
        match character {
            '\u{1b}' => escaped = true,
            'm' if escaped => escaped = false,
            _ if escaped => {}
            _ => width += 1,
        }
    }
    width
}
