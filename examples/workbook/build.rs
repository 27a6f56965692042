//! Generates the server from the document and the overrides.

fn main() {
    xyte_mcp_build::Product {
        document: "openapi.json",
        overrides: "overrides.toml",
        examples: None,
    }
    .generate();
}
