//! What build.rs made of the document and the overrides. The only place that includes it.

include!(concat!(env!("OUT_DIR"), "/product.rs"));

/// The document with its patches, from which the sandbox takes its routes.
pub(crate) const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// The computed tools: their arguments, and the trait that `crate::workflows` implements.
#[allow(clippy::doc_markdown, reason = "the words of tools, which models read")]
pub(crate) mod workflows {
    use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk, read};
    use xyte_mcp_runtime::failure::Failure;

    include!(concat!(env!("OUT_DIR"), "/workflows.rs"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_calls_are_sorted_as_the_search_needs_them() {
        let calls = super::calls::CALLS;
        assert!(calls.is_sorted_by_key(|(id, _)| id));
        assert!(calls.iter().all(|(id, _)| super::calls::find(id).is_some()));
        assert!(super::calls::find("no_such_operation").is_none());
    }
}
