//! What happens while virtual time passes: commands, windows, records.

use serde_json::{Value, json};
use xyte_mcp_sandbox::Pace;

use crate::client::{self, COMMAND, Client, DEVICE, row};

/// Sends a command without inputs, and gives its id.
async fn send(client: &Client, device: &str, command: &str) -> String {
    let body = json!({ "command": command });
    let sent = client.write("POST", &format!("/devices/{device}/commands"), body).await;
    sent["id"].as_str().unwrap().to_owned()
}

async fn status(client: &Client, device: &str, command: &str) -> String {
    let listed = client.all(&format!("/devices/{device}/commands")).await;
    row(&listed, command).unwrap()["status"].as_str().unwrap().to_owned()
}

/// A device whose row fits.
async fn device(client: &Client, fits: impl Fn(&Value) -> bool) -> String {
    let rows = client.all("/devices").await;
    rows.iter().find(|row| fits(row)).unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_command_goes_through_every_stage_within_90_seconds() {
    let client = client::fresh("small");
    let id = send(&client, DEVICE, "power_off").await;
    assert_eq!(client.read(&format!("/devices/{DEVICE}")).await["state"]["power"], "on");
    let mut stages = vec!["scheduled".to_owned()];
    for second in 1..=90 {
        client.wait(1).await;
        let stage = status(&client, DEVICE, &id).await;
        assert!(second >= 5 || stage != "done", "nothing takes less than 5 seconds");
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
    }
    assert_eq!(stages, ["scheduled", "pending", "in_progress", "done"]);
    let device = client.read(&format!("/devices/{DEVICE}")).await;
    assert_eq!(device["state"]["power"], "standby", "the device reports what the command did");
}

#[tokio::test]
async fn the_commands_that_end_last_decide_what_a_device_reports() {
    let client = client::fresh("small");
    let path = format!("/devices/{DEVICE}/commands");
    for input in ["hdmi2", "usb-c"] {
        let body = json!({ "command": "set_input", "extra_params": { "input": input } });
        client.write("POST", &path, body).await;
        client.wait(90).await;
    }
    assert_eq!(client.read(&format!("/devices/{DEVICE}")).await["state"]["input"], "usb-c");
}

#[tokio::test]
async fn a_device_that_is_away_never_fetches_and_one_in_error_fails() {
    let client = client::fresh("baseline");
    let display = |row: &Value, status: &str| {
        row["effective_status"] == status && row["model"]["name"] == "Panel 55"
    };
    let away = device(&client, |row| display(row, "offline")).await;
    let unseen = device(&client, |row| display(row, "never_seen")).await;
    let broken = device(&client, |row| display(row, "error")).await;
    let mut sent = Vec::new();
    for id in [&away, &unseen, &broken] {
        sent.push(send(&client, id, "reboot").await);
    }
    client.wait(24 * 3_600).await;
    assert_eq!(status(&client, &away, &sent[0]).await, "pending");
    assert_eq!(status(&client, &unseen, &sent[1]).await, "pending");
    assert_eq!(status(&client, &broken, &sent[2]).await, "failed");
}

#[tokio::test]
async fn a_cancelled_command_stays_aborted_and_has_no_effect() {
    let client = client::fresh("small");
    let id = send(&client, DEVICE, "power_off").await;
    assert_eq!(client.delete(&format!("/devices/{DEVICE}/commands/{id}")).await.status, 204);
    client.wait(3_600).await;
    assert_eq!(status(&client, DEVICE, &id).await, "aborted");
    assert_eq!(status(&client, DEVICE, COMMAND).await, "done");
    assert_eq!(client.read(&format!("/devices/{DEVICE}")).await["state"]["power"], "on");
}

#[tokio::test]
async fn new_rows_are_of_the_virtual_present_and_so_is_the_date_of_answers() {
    let client = client::fresh("small");
    client.wait(3_600).await;
    let body = json!({ "content": "Later" });
    let note = client.write("POST", &format!("/devices/{DEVICE}/notes"), body).await;
    assert_eq!(note["created_at"], "2026-09-07T09:30:00Z");
    let answer = client.get("/organization/info").await;
    assert_eq!(answer.headers["date"], "Mon, 07 Sep 2026 09:30:00 GMT");
}

#[tokio::test]
async fn the_default_windows_move_with_the_clock_and_devices_go_on_recording() {
    let client = client::fresh("small");
    let before = client.all("/incidents?status=active&from=0").await.len();
    assert!(!client.all("/incidents?status=active").await.is_empty());
    let seen = client.read(&format!("/devices/{DEVICE}")).await["last_seen_at"].clone();
    client.wait(8 * 86_400).await;
    assert_eq!(client.all("/incidents?status=active").await.len(), 0);
    assert_eq!(client.all("/incidents?status=active&from=0").await.len(), before);
    let mine = format!("/devices/histories?device_id={DEVICE}");
    let days = client.all(&mine).await;
    assert_eq!(days.len(), 7, "one row a day");
    assert!(days[0]["created_at"].as_str().unwrap().starts_with("2026-09-15"));
    assert_ne!(client.read(&format!("/devices/{DEVICE}")).await["last_seen_at"], seen);
}

#[tokio::test]
async fn one_long_wait_and_many_short_ones_lead_to_the_same_world() {
    let (long, short) = (client::fresh("small"), client::fresh("small"));
    for client in [&long, &short] {
        send(client, DEVICE, "power_off").await;
    }
    long.wait(2 * 86_400).await;
    for _ in 0..48 {
        short.wait(3_600).await;
    }
    let path = "/organization/devices/histories?per_page=1000";
    assert_eq!(long.get(path).await.text, short.get(path).await.text);
    assert_eq!(long.look("/state").await, short.look("/state").await);
}

#[tokio::test]
async fn a_stepping_clock_lets_a_follower_see_the_end_without_anybody_else() {
    let sandbox = client::sandbox("small");
    sandbox.set_pace(Pace::Step(10));
    let client = Client::of(&sandbox);
    let id = send(&client, DEVICE, "reboot").await;
    let mut polls = 0;
    while status(&client, DEVICE, &id).await != "done" {
        polls += 1;
    }
    assert!(polls < 10, "{polls}");
}

#[tokio::test]
async fn time_does_not_go_back_and_ends_after_a_year() {
    let client = client::fresh("small");
    assert_eq!(client.admin("POST", "/clock", "{\"advance\":-1}").await.status, 400);
    assert_eq!(client.admin("POST", "/clock", "{\"pace\":\"fast\"}").await.status, 400);
    assert_eq!(client.admin("POST", "/clock", "{}").await.status, 400);
    client.wait(u64::MAX).await;
    let clock = client.look("/clock").await;
    assert_eq!(clock, json!({ "now": "2027-09-07T08:30:00Z", "pace": "fixed" }));
}

#[tokio::test]
async fn a_device_goes_away_and_comes_back_with_an_incident_and_two_records() {
    let client = client::fresh("small");
    let happen = async |status: &str| {
        let body = json!({ "device": DEVICE, "status": status }).to_string();
        client.admin("POST", "/devices", &body).await.status.as_u16()
    };
    let offline = async || {
        let rows = client.all("/incidents").await;
        let own = rows.into_iter().filter(|row| row["device_id"] == DEVICE);
        own.filter(|row| row["issue"] == "offline").collect::<Vec<_>>()
    };
    client.wait(600).await;
    let command = send(&client, DEVICE, "power_off").await;
    assert_eq!((happen("offline").await, happen("offline").await), (200, 200));
    client.wait(600).await;
    let device = client.read(&format!("/devices/{DEVICE}")).await;
    assert_eq!(
        (&device["status"], &device["effective_status"]),
        (&json!("offline"), &json!("offline"))
    );
    assert!(device["last_seen_at"].as_str().unwrap() < "2026-09-07T08:41:00Z");
    assert_eq!(status(&client, DEVICE, &command).await, "pending");
    let raised = offline().await;
    assert_eq!((raised.len(), &raised[0]["status"]), (1, &json!("active")));
    assert_eq!(client.all("/incidents").await[0], raised[0], "the newest comes first");

    happen("online").await;
    assert_eq!(offline().await[0]["updated_at"], "2026-09-07T08:50:00Z");
    assert_eq!(offline().await[0]["status"], "closed");
    let records = client.all(&format!("/devices/histories?device_id={DEVICE}")).await;
    let told: Vec<&Value> = records[..2].iter().map(|row| &row["state"]["status"]).collect();
    assert_eq!(told, ["online", "offline"]);
    assert_eq!(status(&client, DEVICE, &command).await, "done", "it fetches what waited");
    assert_eq!(happen("tired").await, 400);
    let nobody = "{\"device\":\"none\",\"status\":\"online\"}";
    assert_eq!(client.admin("POST", "/devices", nobody).await.status, 400);
}
