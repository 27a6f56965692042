//! Logs as JSON on standard error; standard output belongs to the protocol.

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) fn to_stderr() {
    // The protocol's lines quote messages of callers, who may put a key anywhere.
    let targets =
        Targets::new().with_default(LevelFilter::INFO).with_target("rmcp", LevelFilter::ERROR);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    // Where somebody logs already, that is fine too.
    let _already = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
}
