//! A sandbox of its own: what it is told to break, what it counted, and what it answers without a server between. It knows no tool.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{KEY_A, Running};

/// What the platform counted since it was told to begin.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    /// Most at once of one key.
    pub(crate) peak: u64,
    /// Requests made again after a 429.
    pub(crate) retries: usize,
    /// Requests that mean to change something.
    pub(crate) writes: usize,
}

/// The sandbox.
pub(crate) struct Platform {
    sandbox: Running,
}

impl Platform {
    pub(crate) fn start(seed: u64, world: &str) -> Self {
        let seed = seed.to_string();
        let start = || Running::sandbox_with(&["--seed", &seed, "--scenario", world]);
        Self { sandbox: tokio::task::block_in_place(start) }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.sandbox.address)
    }

    fn http() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    fn admin(&self, route: &str) -> String {
        format!("http://{}/{route}", self.sandbox.admin)
    }

    /// What it shows from behind.
    pub(crate) async fn behind(&self, route: &str) -> Value {
        Self::http().get(self.admin(route)).send().await.unwrap().json().await.unwrap()
    }

    /// What it answers to key A.
    pub(crate) async fn row(&self, path: &str) -> Value {
        let url = format!("{}/core/v1/organization/{path}", self.address());
        let read = Self::http().get(url).header("authorization", KEY_A).send().await.unwrap();
        read.json().await.unwrap()
    }

    /// All rows of a list, the same way.
    pub(crate) async fn rows(&self, list: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let join = if list.contains('?') { '&' } else { '?' };
            let mut read = self.row(&format!("{list}{join}page={page}")).await;
            let Value::Array(items) = read["items"].take() else { panic!("{list}: {read}") };
            rows.extend(items);
            if read["has_next_page"] != true {
                break;
            }
        }
        rows
    }

    /// From here on it counts, and breaks as these rules say and no others.
    pub(crate) async fn begin(&self, faults: &str) {
        for route in ["requests", "faults"] {
            Self::http().delete(self.admin(route)).send().await.unwrap();
        }
        let faults = faults.to_owned();
        let added = Self::http().post(self.admin("faults")).body(faults).send().await.unwrap();
        assert!(added.status().is_success(), "{}", added.text().await.unwrap());
    }

    pub(crate) async fn counted(&self) -> Counted {
        let (stats, requests) = (self.behind("stats").await, self.behind("requests").await);
        let requests = requests.as_array().unwrap();
        let keys = stats["by_key"].as_object().unwrap().values();
        Counted {
            requests: stats["requests"].as_u64().unwrap(),
            peak: keys.filter_map(|key| key["peak_open"].as_u64()).max().unwrap_or_default(),
            retries: retries(requests),
            writes: requests.iter().filter(|request| request["method"] != "GET").count(),
        }
    }

    /// What became different from the beginning; nothing after reads.
    pub(crate) async fn changes(&self) -> Option<String> {
        let changes = self.behind("changes").await;
        (changes != json!([])).then(|| format!("reading changed the platform: {changes}"))
    }
}

fn retries(requests: &[Value]) -> usize {
    let mut refused: BTreeMap<(String, String), bool> = BTreeMap::new();
    let mut retries = 0;
    for request in requests {
        let what = (request["path"].to_string(), request["query"].to_string());
        if refused.insert(what, request["status"] == 429) == Some(true) {
            retries += 1;
        }
    }
    retries
}
