//! Many tenants at once, in front of a platform that fails in every way; `scripts/load` does the same for longer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use xyte_mcp_trial::{Amount, Platform, Server, Storm};

const SEED: u64 = 7;
const TENANTS: usize = 8;

/// A server in front of such a platform.
async fn storm(arguments: &[&str]) -> (Server, Storm) {
    let (platform, address) = Platform::start(SEED, TENANTS).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_xyte-mcp"));
    let arguments = [&["--toolsets", "all"], arguments].concat();
    let server = Server::start(program, &address, &arguments).unwrap();
    let servers = vec![server.address.clone()];
    (server, Storm { seed: SEED, tenants: TENANTS, servers, platform })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_platform_does_each_caller_is_told_what_fits_and_nothing_of_another() {
    let patience = ["--rate-limit", "0", "--timeout-ms", "1500", "--deadline-ms", "6000"];
    let (server, storm) = storm(&patience).await;
    let tally = storm.rage(Amount::Calls(30)).await;
    assert!(tally.faults.is_empty(), "{tally}");
    let codes = ["timeout", "network_error", "upstream_contract", "xyte_server_error"];
    for told in codes.into_iter().chain(["rate_limited", "unauthorized", "nothing, it left"]) {
        assert!(tally.told(told) > 0, "nobody was told {told}:\n{tally}");
    }
    let (code, written) = server.end().unwrap();
    assert_eq!(code, Some(0));
    for word in ["trial-key", "mark-", "panicked"] {
        assert!(!written.contains(word), "{word} in the logs:\n{written}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_crowd_over_both_faces_exactly_as_many_calls_pass_as_may() {
    let (_server, storm) = storm(&["--rate-limit", "20"]).await;
    let tally = storm.crowd(30, 20).await;
    assert!(tally.faults.is_empty(), "{tally}");
    assert_eq!((tally.told("the answer"), tally.told("to wait")), (160, 80));
}
