//! Generates the server from the document and the overrides.

fn main() {
    xyte_mcp_build::Files {
        document: "spec/xyte.json",
        overrides: "overrides/xyte.toml",
        examples: Some("docs/examples"),
        lock: Some("docs/capabilities.json"),
    }
    .generate();
}
