//! What fits, and what is told about the rest.

use serde_json::{Value, json};

use super::*;

fn hostile(count: usize) -> String {
    "a\"\\\n\u{1}\u{7f}é\u{202e}\u{e0041}".chars().cycle().take(count).collect()
}

#[test]
fn the_length_of_a_value_is_that_of_its_visible_text() {
    for value in [
        json!(null),
        json!(1.5),
        json!({"é": [hostile(40), {"x": "\u{200b}"}]}),
        json!("\u{7f}\u{7f}"),
    ] {
        assert_eq!(length(&value), text_length(&Shaped::of(value).text));
    }
}

#[test]
fn small_members_stay_and_large_ones_are_named() {
    let answer =
        json!({"id": 1, "name": "N", "log": "x".repeat(5000), "state": {"a": "y".repeat(9000)}});
    let shaped = object(answer, 4000, "choose `fields`");
    assert_eq!(shaped.structured["id"], 1);
    assert_eq!(shaped.structured["name"], "N");
    assert_eq!(
        shaped.structured["warnings"],
        json!([
            "the answer is larger than one answer may be; left out: `log`, `state`; choose `fields`"
        ])
    );
}

#[test]
fn what_is_large_by_itself_is_shortened_and_its_whole_length_is_told() {
    let shaped = object(json!({"state": {"log": "x".repeat(9000)}}), 4000, "");
    let log = shaped.structured["state"]["log"].as_str().unwrap();
    assert!(log.starts_with("xxx") && log.ends_with("x… [cut: 9000 characters in all]"), "{log}");
    assert!(log.len() > 3000, "most of the room is used");
    let warning = shaped.structured["warnings"][0].as_str().unwrap();
    assert!(warning.contains("cut short: `state.log` (9000 characters)"), "{warning}");
    let shaped = object(json!({"rows": vec!["abcd"; 2000]}), 4000, "");
    let warning = shaped.structured["warnings"][0].as_str().unwrap();
    let shown = shaped.structured["rows"].as_array().unwrap().len();
    assert!(warning.contains(&format!("`rows` ({shown} of 2000 elements)")), "{warning}");
}

#[test]
fn nothing_is_larger_than_its_room_whatever_it_is() {
    let digits: Value = serde_json::from_str(&"7".repeat(9000)).unwrap();
    let deep = (0..60).fold(json!(hostile(5000)), |inner, at| json!({format!("k{at}"): [inner]}));
    let many: Value = (0..3000)
        .map(|at| (format!("{at}{}", hostile(30)), json!(at)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let named = json!({hostile(9000): {"x": 1}});
    let wrapped = json!({"status": 200, "answer": vec![hostile(700); 30]});
    for value in [json!({"n": digits}), json!({"text": hostile(9000)}), deep, many, named, wrapped]
    {
        for room in [4000, 4001, 4100, 5000, 8000, 24000] {
            let by_members = object(value.clone(), room, "h");
            let by_lists = clamp(Shaped::of(value.clone()), room);
            for shaped in [by_members, by_lists] {
                let both = length(&shaped.structured).max(text_length(&shaped.text));
                assert!(both <= room, "{both} of {room}");
                let cut = shaped.structured != value;
                assert_eq!(cut, shaped.structured.get("warnings").is_some());
            }
        }
    }
}

#[test]
fn lists_are_cut_between_items_the_longest_first() {
    let items = |count: usize| {
        (0..count).map(|at| json!({"at": at, "pad": "x".repeat(40)})).collect::<Value>()
    };
    let answer =
        json!({"total": 300, "rooms": items(300), "of": {"models": items(20)}, "complete": true});
    let shaped = clamp(Shaped { text: "300 rooms".to_owned(), structured: answer.clone() }, 8000);
    let shown = shaped.structured["rooms"].as_array().unwrap().len();
    assert!((100..300).contains(&shown));
    assert_eq!(shaped.structured["of"], answer["of"]);
    assert_eq!(shaped.structured["rooms"][shown - 1], answer["rooms"][shown - 1]);
    assert_eq!(serde_json::from_str::<Value>(&shaped.text).unwrap(), shaped.structured);
    let warning = format!(
        "`rooms` has {shown} of 300: the rest does not fit into one answer; narrow the question"
    );
    assert_eq!(shaped.structured["warnings"], json!([warning]));
    assert!(length(&shaped.structured) > 7900, "as many as there is room for");
    let fits = clamp(Shaped { text: "300 rooms".to_owned(), structured: answer.clone() }, 80_000);
    assert_eq!((fits.structured, fits.text.as_str()), (answer, "300 rooms"));
}
