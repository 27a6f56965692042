//! The maintainer's order of lines. The TOML library writes dotted keys of one table together, wherever they stood; this puts them back.

use std::collections::BTreeMap;

use toml_edit::DocumentMut;

/// Puts the lines of every table in the order that they had, where they are still there; the other ones stay behind the line that they follow.
pub(super) fn restore(original: &str, text: &str) -> String {
    let known: BTreeMap<&str, &str> = sections(original).into_iter().collect();
    let restored: String = sections(text)
        .into_iter()
        .map(|(header, body)| match known.get(header) {
            Some(before) if *before != body && !header.starts_with("[[") => merged(before, body),
            _ => body.to_owned(),
        })
        .collect();
    // Order is all that may differ; a text that is cut in a way not thought of here stays as it is.
    if same(&restored, text) { restored } else { text.to_owned() }
}

fn same(left: &str, right: &str) -> bool {
    let read = |text: &str| toml::from_str::<toml::Table>(text).ok();
    read(left).is_some_and(|left| Some(left) == read(right))
}

/// Cuts a text before every header; gives each header with its whole text.
fn sections(text: &str) -> Vec<(&str, &str)> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') && at > 0 {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().copied().skip(1).chain([text.len()]);
    let bodies = starts.iter().zip(ends).map(|(start, end)| &text[*start..end]);
    bodies.map(|body| (body.lines().next().unwrap_or_default().trim_end(), body)).collect()
}

/// Orders the statements of one table like those of another.
fn merged(before: &str, after: &str) -> String {
    let (Some((_, before)), Some((header, body))) =
        (before.split_once('\n'), after.split_once('\n'))
    else {
        return after.to_owned();
    };
    let (order, _) = statements(before);
    let (found, tail) = statements(body);
    let place = |key: &str| order.iter().position(|(known, _)| *known == key);
    let mut last = 0;
    let mut placed: Vec<(usize, &str)> = Vec::new();
    for (key, statement) in found {
        last = place(key).unwrap_or(last);
        placed.push((last, statement));
    }
    placed.sort_by_key(|(place, _)| *place); // Stable, so what is new stays behind its neighbor.
    let body: String = placed.into_iter().map(|(_, statement)| statement).collect();
    format!("{header}\n{body}{tail}")
}

/// Cuts the body of a table into its statements, each with its key and the comments above; what is left are comments below.
fn statements(body: &str) -> (Vec<(&str, &str)>, &str) {
    let mut found = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in body.split_inclusive('\n') {
        end += line.len();
        let words = &body[start..end];
        let key =
            words.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let Some((key, _)) = key.and_then(|line| line.split_once('=')) else { continue };
        if words.parse::<DocumentMut>().is_ok() {
            found.push((key.trim_end(), words)); // A value over several lines is whole only at its end.
            start = end;
        }
    }
    (found, &body[start..])
}

#[cfg(test)]
mod tests {
    use super::restore;

    #[test]
    fn lines_come_back_to_their_places_and_new_ones_stay_with_their_neighbors() {
        let before = "# Head.\n[a]\nx.one = 1\n# About y.\ny = \"\"\"\n[not a header]\n\"\"\"\nx.two = 2\n\n# Below.\n[b]\nk = 1\n";
        let written = "# Head.\n[a]\nx.one = 1\nx.two = 3\nx.new = 4\n# About y.\ny = \"\"\"\n[not a header]\n\"\"\"\n\n# Below.\n[b]\nk = 1\n";
        let wanted = "# Head.\n[a]\nx.one = 1\n# About y.\ny = \"\"\"\n[not a header]\n\"\"\"\nx.two = 3\nx.new = 4\n\n# Below.\n[b]\nk = 1\n";
        let lines = written.replace("[not a header]", "no header");
        let (before, wanted) = (
            before.replace("[not a header]", "no header"),
            wanted.replace("[not a header]", "no header"),
        );
        assert_eq!(restore(&before, &lines), wanted);
        // A text that looks like a header is no reason to lose anything.
        assert_eq!(restore(written, written), written);
    }
}
