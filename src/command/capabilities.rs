//! `xyte-mcp capabilities`: what this very binary serves.

use crate::generated;

pub(crate) fn run(markdown: bool) -> anyhow::Result<()> {
    super::print(if markdown { generated::API_USAGE } else { generated::CAPABILITIES })
}
