//! Going on with a list: every row once, whatever the platform's pages are like; and a word where the list shifted meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use xyte_mcp_catalogue::Paging;
use xyte_mcp_runtime::caller::{Caller, Key};
use xyte_mcp_runtime::seal::Seal;
use xyte_mcp_runtime::service::{Service, Settings};

use crate::support::{
    KEY_A, KEY_B, Platform, Recorded, call, call_as, catalogue, service_of, tenant,
};

/// Ids of the rows that a platform has at the moment.
type List = Arc<Mutex<Vec<u64>>>;

fn list(count: u64) -> List {
    Arc::new(Mutex::new((0..count).collect()))
}

fn asked<'a>(record: &'a Recorded, name: &str) -> Option<&'a str> {
    let (_, query) = record.target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn number(record: &Recorded, name: &str) -> Option<usize> {
    asked(record, name).map(|text| text.parse().unwrap())
}

/// The ways of cutting this list into pages.
const DIALECTS: [&str; 5] = ["pages", "fixed", "short", "offset", "token"];

/// A platform that answers with this list in one of the dialects.
async fn platform(list: &List, dialect: &'static str) -> (Platform, Option<Value>) {
    let list = list.clone();
    let platform = Platform::start(move |record| {
        let ids = list.lock().unwrap().clone();
        let size = match dialect {
            "fixed" => 7,
            "short" => number(record, "size").unwrap().min(6), // Fewer than it was asked for.
            _ => number(record, "size").unwrap_or(ids.len()),
        };
        let start = match dialect {
            "offset" => number(record, "at").unwrap(),
            "token" => asked(record, "at").map_or(0, |at| {
                let after: u64 = at.strip_prefix("after-").unwrap().parse().unwrap();
                ids.iter().take_while(|id| **id <= after).count()
            }),
            _ => number(record, "at").map_or(0, |page| (page - 1) * size),
        };
        let page: Vec<u64> = ids.iter().skip(start).take(size).copied().collect();
        let more = start + page.len() < ids.len();
        let next = page.last().filter(|_| more).map(|last| format!("after-{last}"));
        let rows: Vec<Value> =
            page.iter().map(|id| json!({"id": id, "name": format!("n{}", id % 3)})).collect();
        (200, json!({"items": rows, "more": more, "next": next}).to_string())
    })
    .await;
    let paging = match dialect {
        "pages" | "short" => {
            json!({"dialect": "d", "page": "at", "size": "size", "max": 20, "more": "more"})
        }
        "fixed" => json!({"dialect": "d", "page": "at", "more": "more"}),
        "offset" => {
            json!({"dialect": "d", "step": "offset", "page": "at", "size": "size", "max": 20, "more": "more"})
        }
        "token" => {
            json!({"dialect": "d", "step": "cursor", "page": "at", "size": "size", "max": 20, "next": "next"})
        }
        _ => return (platform, None),
    };
    (platform, Some(paging))
}

fn service(platform: &Platform, paging: Option<&Value>, settings: Settings) -> Arc<Service> {
    let mut model = catalogue();
    for entry in &mut model.entries {
        if entry.operation == "list_things" {
            entry.paging = paging.map(|it| serde_json::from_value::<Paging>(it.clone()).unwrap());
        }
    }
    service_of(model, &platform.base, Settings { rate_limit: 0, ..settings })
}

/// One answer: its ids, where it goes on, and what it warns of.
async fn step(
    service: &Service,
    mut arguments: Value,
    cursor: &Value,
) -> (Vec<u64>, Value, Vec<Value>) {
    if !cursor.is_null() {
        arguments["cursor"] = cursor.clone();
    }
    let answer = call(service, "list_things", arguments).await.unwrap().shaped.structured;
    let ids = answer["items"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap());
    let next = answer["page"]["next_cursor"].clone();
    assert_eq!(answer["page"]["complete"], next.is_null());
    (ids.collect(), next, answer["warnings"].as_array().unwrap().clone())
}

#[tokio::test]
async fn walking_with_any_limits_gives_the_whole_list_once_in_every_dialect() {
    for dialect in DIALECTS.into_iter().chain(["one piece"]) {
        let (platform, paging) = platform(&list(64), dialect).await;
        let service = service(&platform, paging.as_ref(), Settings::default());
        for limits in [&[1][..], &[7], &[20], &[33], &[64], &[1000], &[3, 40, 1, 11]] {
            let mut walked = Vec::new();
            let mut cursor = Value::Null;
            for limit in limits.iter().cycle() {
                let (ids, next, warnings) = step(&service, json!({"limit": limit}), &cursor).await;
                assert_eq!(warnings, Vec::<Value>::new(), "{dialect} {limits:?}");
                assert!(ids.len() <= *limit);
                walked.extend(ids);
                cursor = next;
                if cursor.is_null() {
                    break;
                }
            }
            assert_eq!(walked, (0..64).collect::<Vec<_>>(), "{dialect} {limits:?}");
        }
    }
}

#[tokio::test]
async fn a_list_that_shifts_meanwhile_is_told_and_where_pages_can_overlap_no_row_is_lost() {
    for dialect in ["pages", "fixed", "short", "offset", "one piece"] {
        for (limit, fields) in [(5, json!(null)), (20, json!(null)), (13, json!(["id", "name"]))] {
            for change in ["insert", "remove", "both"] {
                let rows = list(64);
                let (platform, paging) = platform(&rows, dialect).await;
                let service = service(&platform, paging.as_ref(), Settings::default());
                let arguments = json!({"limit": limit, "fields": fields});
                let (seen, cursor, _) = step(&service, arguments.clone(), &Value::Null).await;
                {
                    let mut rows = rows.lock().unwrap();
                    let (gone, come): (usize, &[u64]) = match change {
                        "insert" => (0, &[900, 901]),
                        "remove" => (2, &[]),
                        _ => (3, &[900, 901]),
                    };
                    rows.splice(0..gone, come.iter().copied());
                }
                let what = format!("{dialect} {limit} {change}");
                // What was kept of the first answer would hide the change.
                let fresh = json!({"limit": 1000, "fields": fields, "fresh": true});
                let (rest, end, warnings) = step(&service, fresh, &cursor).await;
                assert!(end.is_null(), "{what}");
                assert!(
                    warnings[0].as_str().unwrap().contains("has changed"),
                    "{what} {warnings:?}"
                );
                let all: BTreeSet<u64> = seen.iter().chain(&rest).copied().collect();
                let lost: Vec<u64> = (0..64).filter(|id| !all.contains(id)).collect();
                // Pages of the platform's own size cannot be asked for with rows before them.
                let loses = matches!(dialect, "fixed" | "short") && change == "remove";
                assert!(loses || lost.is_empty(), "{what}: {lost:?}");
            }
        }
    }
}

#[tokio::test]
async fn fields_without_the_id_do_not_hide_a_shift_and_rows_show_only_them() {
    let rows = list(64);
    let (platform, paging) = platform(&rows, "pages").await;
    let service = service(&platform, paging.as_ref(), Settings::default());
    let arguments = json!({"limit": 10, "fields": ["name"]});
    let first = call(&service, "list_things", arguments.clone()).await.unwrap().shaped;
    assert_eq!(first.structured["items"][1], json!({"name": "n1"}));
    rows.lock().unwrap().remove(0);
    let mut next = arguments;
    next["cursor"] = first.structured["page"]["next_cursor"].clone();
    let second = call(&service, "list_things", next).await.unwrap().shaped;
    assert!(second.structured["warnings"][0].as_str().unwrap().contains("has changed"));
    assert_eq!(second.structured["items"][0], json!({"name": "n1"}), "row 10 follows row 9");
    assert!(second.text.contains("\n# 10 more rows, more follow; cursor: "), "{}", second.text);
}

#[tokio::test]
async fn a_cursor_that_is_forged_or_anothers_gets_one_answer_and_one_of_other_arguments_another() {
    let (platform, paging) = platform(&list(64), "pages").await;
    let service = service(&platform, paging.as_ref(), Settings::default());
    let (_, cursor, _) = step(&service, json!({"limit": 5}), &Value::Null).await;
    let refused = async |caller: &Caller, tool: &str, arguments: Value| {
        let failure = call_as(&service, caller, tool, arguments).await.unwrap_err();
        assert_eq!(failure.code, "invalid_arguments");
        assert!(failure.hint.unwrap().contains("ithout `cursor`"));
        failure.message
    };
    let asked = platform.recorded().len();
    let (a, b) = (tenant(KEY_A), tenant(KEY_B));
    let foreign = refused(&b, "list_things", json!({"cursor": cursor})).await;
    let random = refused(&a, "list_things", json!({"cursor": "x".repeat(120)})).await;
    let empty = refused(&a, "list_things", json!({"cursor": ""})).await;
    assert_eq!(foreign, "`cursor` is none that this server gave to this caller");
    assert_eq!((&random, &empty), (&foreign, &foreign));
    let other = "`cursor` belongs to other arguments, or to another tool";
    assert_eq!(refused(&a, "list_things", json!({"cursor": cursor, "kind": "a"})).await, other);
    assert_eq!(
        refused(&a, "list_things", json!({"cursor": cursor, "fields": ["id"]})).await,
        other
    );
    assert_eq!(refused(&a, "list_flat", json!({"cursor": cursor})).await, other);
    assert_eq!(platform.recorded().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn replicas_with_one_key_take_each_others_cursors() {
    let (platform, paging) = platform(&list(64), "pages").await;
    let replica = |keys: Vec<[u8; 32]>| {
        let seal = Arc::new(Seal::new(keys));
        service(&platform, paging.as_ref(), Settings { seal, ..Settings::default() })
    };
    let (_, cursor, _) = step(&replica(vec![[1; 32]]), json!({"limit": 5}), &Value::Null).await;
    let (ids, ..) = step(&replica(vec![[2; 32], [1; 32]]), json!({"limit": 5}), &cursor).await;
    assert_eq!(ids, [5, 6, 7, 8, 9]);
    let caller = Caller::with_key(Key::new(KEY_A).unwrap());
    let arguments = json!({"cursor": cursor});
    let failure = call_as(&replica(vec![[2; 32]]), &caller, "list_things", arguments).await;
    assert_eq!(failure.unwrap_err().code, "invalid_arguments");
}

#[tokio::test]
async fn a_page_that_breaks_is_where_the_cursor_goes_on() {
    let broken = Arc::new(Mutex::new(true));
    let switch = broken.clone();
    let platform = Platform::start(move |record| {
        let page = number(record, "page").unwrap() as u64;
        let size = number(record, "per_page").unwrap() as u64;
        if page > 1 && *switch.lock().unwrap() {
            return (500, "{}".to_owned());
        }
        let rows: Vec<Value> =
            ((page - 1) * size..(page * size).min(230)).map(|id| json!({"id": id})).collect();
        (200, json!({"items": rows, "has_next_page": page * size < 230}).to_string())
    })
    .await;
    let service = service_of(catalogue(), &platform.base, Settings::default());
    let (first, cursor, warnings) = step(&service, json!({"limit": 230}), &Value::Null).await;
    assert_eq!(first.len(), 77);
    assert!(warnings[0].as_str().unwrap().starts_with("page 2 could not be read"), "{warnings:?}");
    *broken.lock().unwrap() = false;
    let (rest, end, _) = step(&service, json!({"limit": 230}), &cursor).await;
    assert!(end.is_null());
    assert_eq!([first, rest].concat(), (0..230).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_small_budget_cuts_between_rows_and_reads_no_pages_that_do_not_fit() {
    let (platform, paging) = platform(&list(1000), "pages").await;
    let settings = Settings { answer_tokens: 1000, ..Settings::default() };
    let service = service(&platform, paging.as_ref(), settings);
    let mut walked = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut arguments = json!({"limit": 1000});
        if !cursor.is_null() {
            arguments["cursor"] = cursor;
        }
        let shaped = call(&service, "list_things", arguments).await.unwrap().shaped;
        let longest = shaped.text.len().max(shaped.structured.to_string().len());
        assert!(longest <= 4000, "{longest}");
        let items = shaped.structured["items"].as_array().unwrap();
        walked.extend(items.iter().map(|row| row["id"].as_u64().unwrap()));
        cursor = shaped.structured["page"]["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(items.len() > 60, "{}", items.len());
        assert!(shaped.structured["warnings"][0].as_str().unwrap().starts_with("cut to "));
    }
    assert_eq!(walked, (0..1000).collect::<Vec<_>>());
    let pages = platform.recorded().len();
    assert!(pages < 130, "{pages} requests"); // 20 rows a page, so 50 pages are the least.
}
