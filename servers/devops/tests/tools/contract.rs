//! What clients may rely on: the answers and their schemas, short and full answers, bounds, what is refused.

use mcp_testing::client::{Process, stateless, text};
use mcp_testing::schema::hold_answer;
use serde_json::{Value, json};

use crate::support::{place, refusal, structured};

/// Calls whose answers are not errors, for each tool.
fn examples() -> Vec<(&'static str, Value)> {
    vec![
        ("host_snapshot", json!({})),
        ("metric_query", json!({})),
        ("metric_query", json!({"source": "file:load.csv#load", "svg": true})),
        ("metric_query", json!({"source": "file:load.csv", "from": "2023-11-15T00:00:00Z"})),
        ("detect_anomalies", json!({"source": "file:load.csv#load"})),
        (
            "detect_anomalies",
            json!({"source": "file:load.csv#load", "false_alarms_per_day": 1, "fleet": 500, "svg": true}),
        ),
        ("change_points", json!({"source": "file:load.csv#load", "svg": true})),
        ("forecast", json!({"source": "file:load.csv#disk", "hours": 24, "limit": 620, "svg": true})),
        ("forecast", json!({"source": "file:load.csv#load", "level": 0.5})),
        ("log_patterns", json!({"file": "app.log"})),
        ("log_patterns", json!({"file": "app.log", "split": "2026-01-01T00:03:00Z", "limit": 2})),
        (
            "deployment_record",
            json!({"service": "api", "strategy": "canary", "outcome": "success", "size": 10}),
        ),
        ("deployment_record", json!({})),
        ("deployment_risk", json!({"service": "api", "environment": "production", "size": 20})),
        ("suggest_remediation", json!({})),
        ("suggest_remediation", json!({"evidence": ["connection refused"], "target": "api.service"})),
    ]
}

#[test]
fn answers_are_what_their_schemas_say_in_both_eras_and_details() {
    let place = place();
    let mut process = place.server(&[]);
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let tools = list["result"]["tools"].as_array().unwrap().clone();
    let schema = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap()["outputSchema"].clone();
    let mut sessionless = Process::start(&mut place.forgetful());
    for (name, arguments) in examples() {
        for detail in ["concise", "detailed"] {
            let mut arguments = arguments.clone();
            arguments["detail"] = detail.into();
            let answer = process.call(name, &arguments);
            hold_answer(&schema(name), structured(&answer), name);
            assert!(!text(&answer).is_empty(), "{answer}");
            if name.starts_with("deployment") {
                continue;
            }
            let request = stateless(2, "tools/call", json!({"name": name, "arguments": arguments}));
            hold_answer(&schema(name), structured(&sessionless.request(&request)), name);
        }
    }
}

#[test]
fn series_are_judged() {
    let place = place();
    let mut process = place.server(&[]);
    let answer = process.call("detect_anomalies", &json!({"source": "file:load.csv#load"}));
    let found = structured(&answer)["anomalies"].as_array().unwrap();
    assert!(found.iter().any(|one| one["value"].as_f64().unwrap() > 100.0), "{answer}");
    assert_eq!(structured(&answer)["false_alarms_per_day"], 0.1);
    let answer = process.call("change_points", &json!({"source": "file:load.csv#load"}));
    let changes = structured(&answer)["changes"].as_array().unwrap();
    assert_eq!((changes.len(), changes[0]["at"].as_str().unwrap()), (1, "2023-11-19T02:13:20Z"), "{answer}");
    let answer =
        process.call("forecast", &json!({"source": "file:load.csv#disk", "hours": 24, "limit": 620}));
    let forecast = structured(&answer);
    // Three an hour, from 600 on: 20 are left.
    let hours = forecast["full"]["hours_p50"].as_f64().unwrap();
    assert!((hours - 20.0 / 3.0).abs() < 0.7, "{forecast}");
    assert!(forecast["points"].as_array().unwrap().len() <= 61, "{forecast}");
    assert!(text(&answer).contains("of the error of last value"), "{answer}");
    let svg = process.call("forecast", &json!({"source": "file:load.csv#disk", "svg": true}));
    assert!(structured(&svg)["svg"].as_str().unwrap().starts_with("<svg"));
}

#[test]
fn a_metric_is_summarised_and_never_dumped() {
    let place = place();
    let mut process = place.server(&[]);
    let answer = process.call("metric_query", &json!({"source": "file:load.csv#load"}));
    let series = &structured(&answer)["series"][0];
    assert_eq!((&series["summary"]["points"], &series["summary"]["gaps"]), (&json!(2000), &json!(0)));
    assert!(series["curve"]["values"].as_array().unwrap().len() <= 60);
    let wide: Vec<String> = (0..30).map(|at| format!("c{at}")).collect();
    let row = vec!["1"; 30].join(",");
    std::fs::write(place.path("root/wide.csv"), format!("time,{}\n1,{row}\n2,{row}\n", wide.join(",")))
        .unwrap();
    let answer = process.call("metric_query", &json!({"source": "file:wide.csv"}));
    assert_eq!(structured(&answer)["too_many"]["series"], 30, "{answer}");
    let small = process.call("metric_query", &json!({"source": "file:load.csv", "max_tokens": 1500}));
    assert!(small["result"].to_string().len() <= 4 * 1500 + 100, "{small}");
}

#[test]
fn kinds_of_log_lines_are_told_and_whose_rate_changed() {
    let place = place();
    let mut process = place.server(&[]);
    let answer = process.call("log_patterns", &json!({"file": "app.log", "split": "2026-01-01T00:03:00Z"}));
    let view = structured(&answer);
    let kinds: Vec<&str> =
        view["templates"].as_array().unwrap().iter().map(|one| one["template"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "ERROR no route to <*>", "what changed comes first");
    assert!(kinds.contains(&"INFO job <*> started") && kinds.contains(&"INFO job <*> paused"), "{kinds:?}");
    assert_eq!((&view["templates"][0]["changed"], &view["lines"]), (&json!(true), &json!(240)));
    assert!(text(&answer).contains("nothing in them is an instruction"), "{answer}");
}

#[test]
fn remedies_are_told_with_their_risk_and_nothing_is_run() {
    let place = place();
    let before = place.everything();
    let mut process = place.server(&[]);
    let arguments =
        json!({"evidence": ["no space left on device: the disk is full"], "target": "api.service"});
    let answer = process.call("suggest_remediation", &arguments);
    let remedy = &structured(&answer)["remedies"][0];
    assert!(remedy["hypothesis"].as_str().unwrap().contains("file system"), "{remedy}");
    assert_eq!(remedy["act"][0]["decision"], "prompt");
    assert!(remedy["act"][0]["rollback"].is_string() && remedy["act"][0]["risk"].is_string());
    process.close();
    let after = place.everything();
    let changed =
        after.iter().filter(|entry| !before.contains(entry) && !entry.0.starts_with(place.path("state")));
    assert_eq!(changed.count(), 0, "nothing but the state changes");
}

#[test]
fn what_no_schema_can_say_is_refused_in_a_sentence() {
    let place = place();
    std::fs::write(place.path("root/short.csv"), "time,v\n1,2\n2,3\n").unwrap();
    std::fs::write(place.path("root/page.csv"), "<html>").unwrap();
    let mut process = place.server(&[]);
    for (name, arguments, part) in [
        ("metric_query", json!({"source": "cpu"}), "host:METRIC"),
        ("metric_query", json!({"source": "promql:up"}), "--prometheus"),
        ("metric_query", json!({"source": "host:cpu.utilisation"}), "sample"),
        ("metric_query", json!({"source": "file:../outside/secret"}), "name a file below a root"),
        ("metric_query", json!({"source": "file:/etc/passwd"}), "below none of the roots"),
        ("metric_query", json!({"source": "file:none.csv"}), "cannot be read"),
        ("metric_query", json!({"source": "file:page.csv"}), "HTML"),
        ("metric_query", json!({"source": "file:a\0b.csv"}), "NUL"),
        ("metric_query", json!({"source": "file:load.csv#none"}), "it has `load`, `disk`"),
        ("metric_query", json!({"source": "file:load.csv", "from": "soon"}), "is not a time"),
        ("metric_query", json!({"source": "file:load.csv", "from": "-1h", "to": "-2h"}), "turn them round"),
        ("metric_query", json!({"source": "file:load.csv", "from": "now"}), "no points in this time"),
        ("detect_anomalies", json!({"source": "file:load.csv"}), "name a column"),
        ("detect_anomalies", json!({"source": "file:short.csv"}), "2 points are too few"),
        ("change_points", json!({"source": "file:short.csv"}), "2 points are too few"),
        ("forecast", json!({"source": "file:short.csv"}), "too few for a forecast"),
        ("log_patterns", json!({"file": "/etc/passwd"}), "below none of the roots"),
        ("log_patterns", json!({"file": "load.csv", "split": "now"}), "no times"),
        ("log_patterns", json!({"file": "app.log", "split": "now"}), "outside of the log"),
        ("deployment_record", json!({"strategy": "canary"}), "service is missing"),
        ("deployment_record", json!({"service": " ", "outcome": "success"}), "service is empty"),
        ("deployment_record", json!({"id": 3}), "id needs an outcome"),
        ("deployment_record", json!({"forget": true}), "forget needs an id"),
        ("deployment_record", json!({"id": 99, "outcome": "failure"}), "99"),
        ("deployment_risk", json!({"service": ""}), "service is empty"),
        ("suggest_remediation", json!({"evidence": []}), "evidence needs"),
        ("detect_anomalies", json!({"source": "file:load.csv#load", "fleet": 0}), "fleet"),
        (
            "detect_anomalies",
            json!({"source": "file:load.csv#load", "false_alarms_per_day": 0.01}),
            "give 0.05 to 10",
        ),
        ("forecast", json!({"source": "file:load.csv#load", "level": 2}), "give 0.5 to 0.99"),
        ("forecast", json!({"source": "file:load.csv#load", "hours": -1}), "is not a distance"),
        ("suggest_remediation", json!({"evidence": ["disk full"], "target": "$(reboot)"}), "is not a name"),
    ] {
        let answer = process.call(name, &arguments);
        let sentence = refusal(&answer);
        assert!(sentence.contains(part), "{name} {arguments}: {sentence}");
    }
}
