//! Cursors of ours: a position in a list, sealed for one caller, one tool and its arguments.
//!
//! It does not know what a position says.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::Errand;
use super::spot::Position;
use crate::failure::Failure;
use crate::seal::Purpose;

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// The question that the list answers.
    #[serde(rename = "q")]
    question: u64,
    #[serde(flatten)]
    position: Position,
}

/// Seals a position.
pub(super) fn seal(errand: &Errand<'_>, position: Position) -> String {
    let sealed = Sealed { question: question(errand), position };
    // What is made of numbers and text can always be written.
    let payload = serde_json::to_vec(&sealed).unwrap_or_default();
    errand.service.settings.seal.seal(Purpose::Cursor, errand.tenant, None, &payload)
}

/// Opens the cursor of a call, if it has one.
pub(super) fn open(errand: &Errand<'_>) -> Result<Option<Position>, Failure> {
    let Some(text) = &errand.options.cursor else { return Ok(None) };
    let seal = &errand.service.settings.seal;
    let opened = seal.open(Purpose::Cursor, errand.tenant, text.trim(), Utc::now());
    let sealed = opened.ok().and_then(|payload| serde_json::from_slice::<Sealed>(&payload).ok());
    let Some(sealed) = sealed else {
        let message = "`cursor` is none that this server gave to this caller";
        return Err(Failure::invalid_arguments(message).with_hint(
            "Take it from `page.next_cursor` as it is; cursors may end when the server restarts. Call without `cursor` to begin again.",
        ));
    };
    if sealed.question != question(errand) {
        let message = "`cursor` belongs to other arguments, or to another tool";
        return Err(Failure::invalid_arguments(message).with_hint(
            "Call with the arguments of the call that gave the cursor; only `limit` may differ. Without `cursor` the list begins again.",
        ));
    }
    Ok(Some(sealed.position))
}

/// What tells one question from another: the tool and its arguments, whose names are in order.
fn question(errand: &Errand<'_>) -> u64 {
    let options = errand.options;
    let json_form = options.format == crate::shape::Format::Json;
    let asked = json!([errand.tool.entry.operation, errand.arguments, options.fields, json_form]);
    let digest = Sha256::digest(asked.to_string());
    digest.iter().take(size_of::<u64>()).fold(0, |question, byte| question << 8 | u64::from(*byte))
}
