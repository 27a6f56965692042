//! Signals that ask the process to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first signal that asks the process to end; the second ends it at once.
///
/// # Errors
/// When the system lets nobody listen to signals.
pub fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let cancelled = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            }
        };
        next().await;
        cancelled.cancel();
        tracing::info!("stopping; calls in flight may end, a second signal stops at once");
        end_at_once(next().await);
    });
    Ok(stop)
}

/// What a shell makes of a process that a signal ended.
const ENDED_BY_SIGNAL: i32 = 128;

#[expect(clippy::exit, reason = "whoever asks twice does not want to wait for anything")]
fn end_at_once(signal: SignalKind) {
    std::process::exit(ENDED_BY_SIGNAL + signal.as_raw_value());
}
