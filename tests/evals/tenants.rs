//! T12, the second variant: fifty requests at once with two tenants' keys, before slow pages: each is told what is its own, and of the other not a byte.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::agent::{Agent, Answer};
use crate::board::Row;
use crate::platform::Platform;
use crate::support::{KEY_A, KEY_B};

pub(crate) const NAME: &str = "T12 two tenants";

const REQUESTS: usize = 50;
const FAULTS: &str = "slow=150 path=*/devices\nslow=100 path=*/incidents\nslow=50";
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

/// Questions that both tenants can be asked; some of their rooms and devices have the same names.
fn questions() -> Vec<(&'static str, Value)> {
    vec![
        ("fleet_health", json!({"group_by": "room", "status": ["offline"]})),
        ("find", json!({"query": "Room 104"})),
        ("list_devices", json!({"limit": 100})),
        ("list_tickets", json!({"limit": 100})),
        ("room_status", json!({"space": "HQ/B1/F1"})),
        ("list_incidents", json!({"status": "active"})),
        ("list_spaces", json!({"limit": 50})),
    ]
}

pub(crate) async fn run() -> Row {
    let platform = Platform::start(1, "baseline");
    let state = platform.behind("state").await;
    let alone = Agent::start(&platform, None, "").await;
    let (a, b) = (ids(&state["A"]), ids(&state["B"]));
    let questions = questions();
    let mut expected = Vec::new();
    for (tool, arguments) in &questions {
        for key in [KEY_A, KEY_B] {
            expected.push(plain(&alone.call_as(key, tool, arguments.clone()).await));
        }
    }
    let mut misses = strangers(&alone, a.iter().next().unwrap()).await;
    drop(alone);

    let agent = Agent::start(&platform, None, FAULTS).await;
    let asked = (0..REQUESTS).map(|number| {
        let (tool, arguments) = &questions[number / 2 % questions.len()];
        let key = if number % 2 == 0 { KEY_A } else { KEY_B };
        agent.call_as(key, tool, arguments.clone())
    });
    let answers = join_all(asked).await;
    let (mut foreign, mut right) = (0, 0);
    for (number, answer) in answers.iter().enumerate() {
        let (others, mail) =
            if number % 2 == 0 { (&b, "@fabrikam.example") } else { (&a, "@northwind.example") };
        let whole = format!("{}{}", answer.text, answer.structured);
        let found = others.iter().map(String::as_str).chain([mail]).filter(|id| whole.contains(id));
        foreign += found.map(str::len).sum::<usize>();
        let same = expected[number / 2 % questions.len() * 2 + number % 2] == plain(answer);
        right += usize::from(same);
    }
    let (cost, told) = agent.end().await;
    misses.extend(told);
    if foreign > 0 {
        misses.push(format!("{foreign} bytes of another tenant"));
    }
    if right < REQUESTS {
        misses.push(format!("{right} of {REQUESTS} answers are those that the tenant gets alone"));
    }
    let mut cells = vec!["-".to_owned(); crate::board::HEAD.len()];
    let told = [
        (0, NAME.to_owned()),
        (1, "baseline".to_owned()),
        (2, "1".to_owned()),
        (3, FAULTS.replace('\n', "; ")),
        (4, REQUESTS.to_string()),
        (9, cost.upstream.requests.to_string()),
        (10, cost.upstream.peak.to_string()),
        (12, format!("{foreign} foreign bytes")),
        (13, format!("{right} of {REQUESTS} right")),
    ];
    for (column, cell) in told {
        cells[column] = cell;
    }
    Row { cells, misses, judged: true }
}

/// What an answer says but for its moment.
fn plain(answer: &Answer) -> (bool, String, Value) {
    let mut structured = answer.structured.clone();
    if let Some(members) = structured.as_object_mut() {
        members.remove("as_of");
    }
    (answer.failed, answer.text.clone(), structured)
}

/// A device of A is to B what a device of nobody is.
async fn strangers(agent: &Agent<'_>, device: &str) -> Vec<String> {
    let ask = |id: String| agent.call_as(KEY_B, "get_device", json!({"device_id": id}));
    let (of_a, of_nobody) = (ask(device.to_owned()).await, ask(NOBODYS.to_owned()).await);
    let code = |answer: &Answer| {
        let told: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        (told["error"]["code"].clone(), told["error"]["hint"].clone())
    };
    if code(&of_a).0 == "not_found" && code(&of_a) == code(&of_nobody) {
        return Vec::new();
    }
    vec![format!("a device of another tenant answers {:?}", code(&of_a))]
}

/// Ids that one tenant alone has.
fn ids(tenant: &Value) -> BTreeSet<String> {
    let nouns = ["devices", "incidents", "tickets", "users", "groups", "licenses", "assets"];
    let keys = nouns.iter().flat_map(|noun| tenant[*noun].as_object().unwrap().keys());
    keys.cloned().collect()
}
