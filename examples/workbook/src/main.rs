//! `workbook-mcp stdio` and `workbook-mcp http`: an invented API for notes, tasks and chats, as tools.

use std::process::ExitCode;

use xyte_mcp_program::Program;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/product.rs"));
}

fn main() -> ExitCode {
    Program {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        title: "Workbook",
        instructions: "Notes, tasks, comments and chats. Lists give ids; archive rather than delete.",
        product: generated::PRODUCT,
    }
    .main(std::env::args_os(), std::env::vars_os())
}
