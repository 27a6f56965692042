//! Generates the server from the document and the overrides.

fn main() {
    xyte_mcp_build::Files {
        document: "openapi.json",
        overrides: "overrides.toml",
        examples: None,
        lock: None,
    }
    .generate();
}
