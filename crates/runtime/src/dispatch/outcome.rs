//! What a failure means where something was to be changed: done after all, unknown, or not done. It sends nothing.

use chrono::Utc;
use serde_json::json;
use xyte_mcp_catalogue::Form;

use super::Performed;
use crate::catalogue::Tool;
use crate::failure::{Failure, Reach};
use crate::shape::Shaped;

/// What a change says whose answer cannot be read.
const DONE_UNREADABLE: &str = "done; the platform's answer could not be read";

/// What a failure means depends on whether something was to be changed, and on how far the request came.
pub(super) fn settle(tool: &Tool, performed: Performed) -> Performed {
    let failure = match performed {
        Err(failure) if !tool.is_read() => failure,
        settled => return settled,
    };
    match failure.reach {
        Reach::Done => Ok((done(tool, failure.status), Some(Utc::now()))),
        Reach::Uncertain => {
            let message = format!("{}; whether the change was made is unknown", failure.message);
            Err(Failure { message, ..failure }.with_hint(
                "It was not tried a second time. Look the target up before you try again.",
            ))
        }
        Reach::Unsent | Reach::Refused => Err(failure),
    }
}

/// A change that was made, though the platform's answer about it cannot be read.
fn done(tool: &Tool, status: Option<u16>) -> Shaped {
    match tool.entry.answer.form {
        Form::Unknown => {
            Shaped::of(json!({ "status": status, "answer": null, "warnings": [DONE_UNREADABLE] }))
        }
        Form::Object | Form::List | Form::Computed => Shaped::of(
            json!({ "done": true, "http_status": status, "answer": null, "warnings": [DONE_UNREADABLE] }),
        ),
    }
}
