//! Path templates and what they match; knows no method and no operation.

/// The names and values of a path's variables, in order.
pub(crate) type Variables = Vec<(String, String)>;

/// A path of the document, such as `/devices/{device_id}/notes`.
#[derive(Debug)]
pub(crate) struct Template {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Variable { before: String, name: String, after: String },
}

impl Template {
    pub(crate) fn parse(path: &str) -> Self {
        let segments = path.trim_start_matches('/').split('/');
        Self { text: path.to_owned(), segments: segments.map(Segment::parse).collect() }
    }

    /// The template as the document has it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Sorts literal segments before variables, from the left.
    pub(crate) fn rank(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Variable { .. })).collect()
    }

    /// The template with its names left out, `/devices/{}`.
    pub(crate) fn shape(&self) -> String {
        let shape = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Variable { before, after, .. } => format!("/{before}{{}}{after}"),
        };
        self.segments.iter().map(shape).collect()
    }

    /// The names and values of the variables, in order, when `path` fits.
    pub(crate) fn matches(&self, path: &[String]) -> Option<Variables> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, text) in self.segments.iter().zip(path) {
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Variable { before, name, after } => {
                    let value = text.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                    if value.is_empty() {
                        return None;
                    }
                    values.push((name.clone(), value.to_owned()));
                }
            }
        }
        Some(values)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        let variable = text.split_once('{').and_then(|(before, rest)| {
            rest.split_once('}').map(|(name, after)| (before, name, after))
        });
        match variable {
            Some((before, name, after)) => Self::Variable {
                before: before.to_owned(),
                name: name.to_owned(),
                after: after.to_owned(),
            },
            None => Self::Literal(text.to_owned()),
        }
    }
}

/// The decoded segments of a request's path.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/').split('/').map(decoded).collect()
}

fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped =
            pair.filter(|_| first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_gives_the_decoded_values_of_its_variables() {
        let template = Template::parse("/files/{name}.json/{part}");
        let values = template.matches(&segments("/files/a%20b.json/%D7%90")).unwrap();
        assert_eq!(values[0], ("name".to_owned(), "a b".to_owned()));
        assert_eq!(values[1].1, "א");
        assert_eq!(template.shape(), "/files/{}.json/{}");
        assert!(template.matches(&segments("/files/a.json")).is_none());
    }
}
