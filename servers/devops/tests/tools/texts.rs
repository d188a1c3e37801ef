//! What a client can do that hands its model the texts alone: each holds what was asked for.

use mcp_testing::client::{Process, text};
use serde_json::{Value, json};

use crate::support::{Place, place};

fn said(process: &mut Process, tool: &str, arguments: &Value) -> String {
    let answer = process.call(tool, arguments);
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    text(&answer).to_owned()
}

fn holds(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} in: {said}");
    }
    assert!(said.len() < 4_000, "{} bytes: {said}", said.len());
}

#[test]
fn the_texts_hold_the_numbers_of_a_host() {
    let place = place();
    let mut process = place.server(&[]);
    let first = said(&mut process, "host_snapshot", &json!({}));
    holds(&first, &["processors", "memory:", "file system /", "available", "largest of", "load"]);
    assert!(!first.contains("since the start of the system: ask"), "{first}");
    // Asked again at once, it does not fall back to the time since the start.
    let again = process.call("host_snapshot", &json!({}));
    assert_eq!(again["result"]["structuredContent"]["host"]["since_boot"], false, "{again}");
}

#[test]
fn the_texts_hold_what_was_found_in_series() {
    let place = place();
    let mut process = place.server(&[]);
    let query = said(&mut process, "metric_query", &json!({"source": "file:load.csv#load"}));
    holds(
        &query,
        &["min 10", "p95", "2000 points from 2023-11-14T22:13:20Z, each 300 s", "at 2023-11-21T20:48:20Z"],
    );
    let disk = said(&mut process, "metric_query", &json!({"source": "file:load.csv#disk"}));
    holds(&disk, &["rises by 3 an hour"]);
    let found = said(&mut process, "detect_anomalies", &json!({"source": "file:load.csv#load"}));
    holds(
        &found,
        &["2023-11-20T03:13:20Z 106", "above", "the usual limit of all values before", "stated: at most 0.1"],
    );
    let found = said(&mut process, "change_points", &json!({"source": "file:load.csv#load"}));
    holds(&found, &["1 change of level", "2023-11-19T02:13:20Z (±", "→ 15", "the series ends"]);
    let found = said(&mut process, "change_points", &json!({"source": "file:load.csv#disk"}));
    holds(&found, &["0 changes", "which is a trend"]);
    let ask = json!({"source": "file:load.csv#disk", "hours": 24, "limit": 620});
    let found = said(&mut process, "forecast", &ask);
    holds(
        &found,
        &["below 620 all the time", "it reaches 620 in 6", "intervals of 90 %", "2023-11-22T20:48:20Z"],
    );
    let found =
        said(&mut process, "forecast", &json!({"source": "file:load.csv#disk", "hours": 24, "limit": 500}));
    holds(&found, &["above 500 since 2023-11-20T11:", "falls to 500 within 24 hours on 0 % of the paths"]);
}

#[test]
fn what_lists_leave_out_is_counted_and_the_largest_stay() {
    let place = place();
    let mut lines = String::from("time,v\n");
    for at in 0..3_000_i64 {
        let spike = if at > 1_500 && at % 100 == 0 { 1_000.0 * at as f64 } else { 0.0 };
        lines.push_str(&format!("{},{}\n", 1_700_000_000 + 300 * at, ((at * 7919) % 97) as f64 + spike));
    }
    std::fs::write(place.path("root/spikes.csv"), lines).unwrap();
    let mut process = place.server(&[]);
    let ask = json!({"source": "file:spikes.csv", "false_alarms_per_day": 1});
    let found = said(&mut process, "detect_anomalies", &ask);
    holds(&found, &["more: these are the 8 largest"]);
    assert!(found.matches("the usual limit").count() == 8, "{found}");
}

#[test]
fn the_texts_hold_changed_rates_of_logs() {
    let place = place();
    let mut process = place.server(&[]);
    let found =
        said(&mut process, "log_patterns", &json!({"file": "app.log", "split": "2026-01-01T00:03:00Z"}));
    holds(&found, &["40 × NEW (0 before, 40 after) ERROR no route to <*>", "INFO job <*> started"]);
    let lines: String = (0..400)
        .map(|at| {
            let status = if at < 200 { 200 } else { 500 };
            format!(
                "10.0.0.{at} - - [14/Feb/2014:14:{:02}:{:02} +0000] \"GET /a/{at} HTTP/1.1\" {status} 7\n",
                at / 60,
                at % 60
            )
        })
        .collect();
    std::fs::write(place.path("root/access.log"), lines).unwrap();
    let found = said(&mut process, "log_patterns", &json!({"file": "access.log"}));
    holds(&found, &["200 × NEW (0 before, 200 after) <*> - - <*> \"GET <*> HTTP/1.1\" 500 <*>"]);
}

#[test]
fn the_texts_hold_deployments_and_remedies() {
    let place = place();
    let mut process = place.server(&[]);
    assert_eq!(said(&mut process, "deployment_record", &json!({})), "no deployments are recorded");
    let ask = json!({"service": " api ", "version": "1.2", "environment": "production", "strategy": "canary", "size": 40, "outcome": "success"});
    holds(
        &said(&mut process, "deployment_record", &ask),
        &["id 0: 20", " api success, version 1.2, to production, by canary, size 40"],
    );
    holds(
        &said(&mut process, "deployment_risk", &json!({"service": "web"})),
        &["no deployment of this service is recorded"],
    );
    holds(
        &said(&mut process, "deployment_record", &json!({"id": 0, "forget": true})),
        &["1 record was forgotten"],
    );
    let ask = json!({"evidence": ["no space left on device"], "target": "api.service"});
    let found = said(&mut process, "suggest_remediation", &ask);
    holds(
        &found,
        &[
            "look: df -h",
            "look: lsof +L1",
            "act: journalctl --vacuum-size=500M (risk medium, prompt)",
            "Undo: None",
        ],
    );
}

#[test]
fn two_servers_record_and_export_at_the_same_time() {
    let place = place();
    let (mut one, mut other) = (place.server(&[]), place.server(&[]));
    for round in 0..5 {
        for (process, name) in [(&mut one, "one"), (&mut other, "other")] {
            let answer = process.call("deployment_record", &json!({"service": name, "outcome": "success"}));
            assert_eq!(answer["result"]["isError"], false, "round {round}: {answer}");
        }
    }
    let listed = said(&mut one, "deployment_record", &json!({}));
    assert_eq!((listed.matches(" one ").count(), listed.matches(" other ").count()), (5, 5), "{listed}");
    let exported = exported(&place);
    assert_eq!(exported.lines().count(), 11, "{exported}");
}

fn exported(place: &Place) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_devops-mcp"))
        .args(["--state", place.path("state").to_str().unwrap(), "export"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
