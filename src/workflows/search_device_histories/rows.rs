//! Recorded states as the platform keeps them, the newest first, up to so many. It draws no conclusions from them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;
use xyte_mcp_runtime::text::quoted;

use super::super::answer;
use super::super::history::requests;
use super::Asked;
use crate::generated::workflows::SearchDeviceHistories;

const USUAL_LIMIT: i64 = 50;
const COLUMNS: [&str; 5] = ["uuid", "name", "space_id", "created_at", "state"];

/// What to do where the newest row has no room by itself.
const TOO_LARGE: &str = "the newest row is larger than one answer may be: list_device_histories with `fields` shows parts of it";

/// Rows that were found so far.
struct Found {
    rows: Vec<Value>,
    scanned: usize,
    /// Whether rows are left out, and whether some could not be read.
    more: bool,
    whole: bool,
    warnings: Vec<String>,
    as_of: DateTime<Utc>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    asked: &Asked,
    arguments: &SearchDeviceHistories,
) -> Result<Computed, Failure> {
    let most = usize::try_from(arguments.limit.unwrap_or(USUAL_LIMIT)).unwrap_or(1);
    let status = arguments.status.as_deref();
    let found = read(desk, asked, status, most).await?;
    let as_of = found.as_of.min(asked.as_of());
    let (structured, text) = answer(desk.room(), asked, &found, status);
    Ok(Computed { structured, text, as_of })
}

/// Reads window after window, from the newest, until there are enough.
async fn read(
    desk: &Desk<'_>,
    asked: &Asked,
    status: Option<&str>,
    most: usize,
) -> Result<Found, Failure> {
    let picks = status.is_some() || asked.scope.is_some();
    let mut found = Found {
        rows: Vec::new(),
        scanned: 0,
        more: false,
        whole: true,
        warnings: Vec::new(),
        as_of: DateTime::<Utc>::MAX_UTC,
    };
    for piece in asked.period.pieces() {
        if found.rows.len() >= most {
            found.more = true;
            break;
        }
        for request in requests(asked.of(), piece) {
            // Which rows are wanted is known when they are read.
            let enough = if picks { usize::MAX } else { most - found.rows.len() };
            let read =
                desk.first::<Value>("list_device_histories", &request, &COLUMNS, enough).await;
            let read = match read {
                Ok(read) => read,
                Err(failure) if found.rows.is_empty() => return Err(failure),
                Err(failure) => {
                    found.whole = false;
                    found.warnings.push(format!("a part could not be read ({failure})"));
                    continue;
                }
            };
            found.scanned += read.rows.len();
            found.as_of = found.as_of.min(read.as_of);
            found.more |= !read.complete && read.rows.len() >= enough;
            found.whole &= read.complete || read.rows.len() >= enough;
            found.warnings.extend(read.warnings);
            found.rows.extend(read.rows.into_iter().filter(|row| is_wanted(asked, row, status)));
        }
        let time = |row: &Value| row["created_at"].as_str().unwrap_or_default().to_owned();
        found.rows.sort_by_cached_key(|row| std::cmp::Reverse(time(row)));
        // Two windows share a moment.
        found.rows.dedup();
    }
    found.more |= found.rows.len() > most;
    found.rows.truncate(most);
    Ok(found)
}

fn is_wanted(asked: &Asked, row: &Value, status: Option<&str>) -> bool {
    let device = row["uuid"].as_str().unwrap_or_default();
    status.is_none_or(|status| row["state"]["status"] == status)
        && asked.is_inside(device, row["space_id"].as_i64())
}

/// The answer with as many rows as fit; how to go on depends on the last of them.
fn answer(room: usize, asked: &Asked, found: &Found, status: Option<&str>) -> (Value, String) {
    let mut warnings = asked.warnings();
    warnings.extend(found.warnings.clone());
    if status.is_some() {
        warnings.push("status: of the recorded rows, not of the devices now; who went away is told by `event`".to_owned());
    }
    answer::shortened(room, found.rows.len(), |kept| {
        let (rows, more) = (&found.rows[..kept], found.more || kept < found.rows.len());
        let mut warnings = warnings.clone();
        match rows.last().and_then(|row| row["created_at"].as_str()) {
            Some(last) if more => {
                warnings.push(format!("older rows follow: go on with to={}", quoted(last)));
            }
            None if more => warnings.push(TOO_LARGE.to_owned()),
            _ => {}
        }
        let complete = found.whole && !more && asked.complete();
        let answer = json!({
            "window": asked.window(),
            "space": asked.place(),
            "items": rows,
            "page": {"returned": kept, "complete": complete, "next_cursor": null},
            "scanned": {"rows": found.scanned},
            "complete": complete,
            "warnings": warnings,
        });
        let text = text(&answer);
        (answer, text)
    })
}

fn text(answer: &Value) -> String {
    let rows = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let window = &answer["window"];
    let bound = |name: &str| window[name].as_str().unwrap_or_default().to_owned();
    let mut text = String::new();
    let first = format!("{} recorded states, {} to {}", rows.len(), bound("from"), bound("to"));
    foot(&mut text, &first);
    answer::rows(&mut text, &COLUMNS, rows);
    answer::end(&mut text, answer);
    text
}
