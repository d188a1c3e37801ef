//! What is remembered: deployments, and the own history that one process samples and others read.

use mcp_testing::client::Process;
use mcp_testing::place::eventually;
use serde_json::{Value, json};

use crate::support::{place, refusal, structured};

fn record(process: &mut Process, arguments: &Value) -> Value {
    structured(&process.call("deployment_record", arguments)).clone()
}

#[test]
fn deployments_are_recorded_corrected_forgotten_and_judged() {
    let place = place();
    let mut process = place.server(&[]);
    let added = record(&mut process, &json!({"service": "api", "strategy": "canary", "version": "1.2"}));
    let id = added["records"][0]["id"].clone();
    assert!(added["changed"] == 1 && added["records"][0].get("outcome").is_none(), "{added}");
    let changed = record(&mut process, &json!({"id": id, "outcome": "rolled_back"}));
    assert_eq!(changed["records"][0]["outcome"], "rolled_back");
    for _ in 0..3 {
        record(&mut process, &json!({"service": "api", "strategy": "canary", "outcome": "success"}));
    }
    record(&mut process, &json!({"service": "other", "outcome": "failure"}));
    let listed = record(&mut process, &json!({"service": "API", "limit": 2}));
    assert_eq!((listed["records"].as_array().unwrap().len(), &listed["changed"]), (2, &json!(0)));
    let risk = process.call("deployment_risk", &json!({"service": "api", "strategy": "canary"}));
    let odds = structured(&risk);
    assert!(odds["low"].as_f64().unwrap() < 0.5 && odds["high"].as_f64().unwrap() < 1.0, "{odds}");
    assert!(mcp_testing::client::text(&risk).contains("that is little"), "{risk}");
    // Another life of the server knows the same, one that only reads changes nothing.
    process.close();
    let mut process = place.server(&["--read-only"]);
    assert_eq!(record(&mut process, &json!({}))["records"].as_array().unwrap().len(), 5);
    let answer = process.call("deployment_record", &json!({"service": "api", "outcome": "success"}));
    assert!(refusal(&answer).contains("outcome"), "{answer}");
    process.close();
    let mut process = place.server(&[]);
    record(&mut process, &json!({"id": id, "forget": true}));
    assert_eq!(record(&mut process, &json!({}))["records"].as_array().unwrap().len(), 4);
    process.close();
    let mut forgetful = Process::start(&mut place.forgetful());
    forgetful.open();
    let answer = forgetful.call("deployment_risk", &json!({"service": "api"}));
    assert!(refusal(&answer).contains("--state none"), "{answer}");
}

#[test]
fn the_history_is_sampled_and_read_by_another_server() {
    let place = place();
    let mut sampling = place.server(&["--sample", "0.05"]);
    let mut reading = place.server(&[]);
    eventually("some rows are sampled", || {
        let answer = reading.call("metric_query", &json!({"source": "host:load.one"}));
        answer["result"]["isError"] == false
            && structured(&answer)["series"][0]["summary"]["points"].as_u64().unwrap() >= 5
    });
    let listed = reading.call("metric_query", &json!({}));
    let metrics = structured(&listed)["metrics"].as_array().unwrap();
    assert!(metrics.iter().any(|metric| metric["source"] == "host:memory.used"), "{listed}");
    let answer = reading.call("metric_query", &json!({"source": "host:none"}));
    assert!(refusal(&answer).contains("load.one"), "{answer}");
    sampling.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    sampling.close();
}

#[test]
fn doctor_says_how_old_the_history_is() {
    let place = place();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_devops-mcp"));
        command.arg("--state").arg(place.path("state")).args(arguments);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(run(&["doctor"]).contains("empty"));
    run(&["sample", "--every", "0.05", "--count", "3"]);
    let facts = run(&["doctor"]);
    assert!(facts.contains("the newest row") && facts.contains("none is named"), "{facts}");
}

#[test]
fn a_distance_of_samples_that_is_out_of_range_is_refused_at_the_start() {
    let place = place();
    for every in ["0", "1e9", "nan"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_devops-mcp"));
        command.arg("--state").arg(place.path("state")).args(["--sample", every]);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("out of range"), "{every}: {said}");
    }
}
