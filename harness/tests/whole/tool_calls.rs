//! What `mcp` measures, on servers of known behaviour.

use std::fs;

use crate::lab::{lab, stderr, stdout};
use crate::tool_server::{Run, at, program};

const SHORT: [&str; 7] = ["--no-floors", "--launches", "2", "--duration", "100ms", "--warm-up", "20"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SHORT[..], more].concat()
}

#[test]
fn a_stall_is_seen_by_an_open_loop_and_missed_by_a_closed_one() {
    let one = ["--no-floors", "--launches", "1", "--duration", "4200ms", "--warm-up", "0"];
    let open = Run::open(&[&one[..], &["--rate", "400"]].concat(), &["stall"]);
    let open = open.series("server");
    let closed = Run::of(0, &one, &["stall"]).series("server");
    // Two stalls of 100 ms in 4.2 s: one scheduled call in twenty meets one.
    assert!(at(&open["response"], 0.99) > 30_000_000, "{:#}", open["response"]["percentiles"]);
    // The calls that were sent meet it twice among thousands.
    assert!(at(&closed["response"], 0.99) < 10_000_000, "{:#}", closed["response"]["percentiles"]);
    assert!(
        closed["response"]["max_ns"].as_u64() > Some(50_000_000),
        "it was there: {:#}",
        closed["response"]
    );
    assert!(at(&open["service"], 0.5) < 30_000_000);
}

#[test]
fn calls_that_find_the_pipe_full_count_from_when_they_were_due() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.toml");
    fs::write(&file, "[[call]]\ntool = \"echo\"\narguments = { text = \"{payload:40000}\" }\n").unwrap();
    let options =
        ["--no-floors", "--launches", "1", "--duration", "4200ms", "--warm-up", "0", "--rate", "200"];
    let run = Run::open(&[&options[..], &["--calls", file.to_str().unwrap()]].concat(), &["stall"]);
    let series = run.series("server");
    let (response, service) = (at(&series["response"], 0.99), at(&series["service"], 0.99));
    // A pipe holds one such call. Those behind it are sent when the stall is over, and answered soon.
    assert!(response > 30_000_000, "{:#}", series["response"]["percentiles"]);
    assert!(service < response / 2, "{service} of {response}");
}

#[test]
fn a_record_holds_everything_and_is_shown_again() {
    let floor = program("null-server");
    let options = ["--floor-server", &floor, "--launches", "2", "--duration", "200ms", "--tool", "stats"];
    let run = Run::of(0, &options, &["plain"]);
    let says = run.says();
    let members: Vec<&str> =
        says["series"].as_array().unwrap().iter().map(|series| series["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["server", "null_server", "in_process", "pipe"]);
    for series in says["series"].as_array().unwrap() {
        assert_eq!(series["launches"].as_array().unwrap().len(), 2);
        let launch = &series["launches"][0];
        assert!(
            launch["own_cpu_ns"].as_f64() > Some(0.0) && launch["cpu_ns"].as_f64() > Some(0.0),
            "{launch:#}"
        );
        assert!(series["response"]["percentiles"][0]["interval"]["lo"].is_number(), "{series:#}");
        for log in series["hlog"].as_array().unwrap() {
            let text = fs::read_to_string(run.record().join(log.as_str().unwrap())).unwrap();
            assert!(text.starts_with("#[Histogram log format version 1.3]\n"), "{text:.80}");
            assert_eq!(text.lines().filter(|line| line.starts_with("Tag=launch-")).count(), 2);
        }
    }
    let server = &says["series"][0]["launches"][0];
    assert!(
        server["first_call_ns"].as_u64() >= server["ready_ns"].as_u64()
            && server["peak_rss"].as_u64() > Some(0)
    );
    assert_eq!(says["servers"][0]["version"], "2026-07-28");
    for chart in ["percentiles", "starts"] {
        assert!(run.record().join(format!("charts/{chart}.svg")).is_file(), "{chart}");
    }
    let shown = stdout(&lab(0, &["report", run.record().to_str().unwrap()]));
    for words in ["p99.9", "95 %", "null server", "cat", "lab's own", "× floor"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert!(
        shown.lines().filter(|line| !line.starts_with("record ")).all(|line| line.chars().count() <= 100),
        "{shown}"
    );
}

#[test]
fn both_eras_are_spoken_and_found_out() {
    for (mode, era, version) in [
        ("plain", &[][..], "2026-07-28"),
        ("plain", &["--era", "2025-11-25"], "2025-11-25"),
        ("legacy", &[], "2025-11-25"),
        ("strict", &[], "2025-11-25"),
    ] {
        let run = Run::of(0, &with(era), &[mode]);
        assert_eq!(run.says()["servers"][0]["version"], version, "{mode} {era:?}");
    }
    let refused = Run::of(1, &with(&["--era", "2026-07-28"]), &["legacy"]);
    assert_eq!(refused.fault().0, "refused");
}

#[test]
fn http_is_spoken_with_lengths_and_with_events() {
    for (mode, era) in [("plain", "2026-07-28"), ("events", "2026-07-28"), ("events", "2025-11-25")] {
        let options = with(&["--http", "http://127.0.0.1:{port}/mcp", "--in-flight", "3", "--era", era]);
        let run = Run::of(0, &options, &[mode, "--http", "{port}"]);
        assert_eq!(run.says()["servers"][0]["transport"], "http");
        assert!(run.series("server")["response"]["count"].as_u64() > Some(20));
    }
}

#[test]
fn calls_of_a_file_are_mixed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.toml");
    fs::write(
        &file,
        "[[call]]\ntool = \"echo\"\nweight = 2\narguments = { text = \"call {n}: {int:1..9}\" }\nexpect = \"call {n}:\"\n\
         [[call]]\ntool = \"stats\"\narguments = { values = [1.0, 2.0, 3.0] }\n\
         expect_structured = { count = 3, sum = 6, mean = 2.0, min = 1.0, max = 3.0, sd = 1.0 }\n",
    )
    .unwrap();
    let shown = file.to_str().unwrap();
    let run = Run::of(0, &with(&["--calls", shown, "--in-flight", "4"]), &["plain"]);
    assert_eq!(run.says()["servers"][0]["called"], serde_json::json!(["echo", "stats"]));
    fs::write(&file, "[[call]]\ntool = \"echo\"\nexpect = \"goodbye\"\n").unwrap();
    let wrong = Run::of(1, &with(&["--calls", shown]), &["plain"]);
    let (name, says) = wrong.fault();
    assert_eq!(name, "wrong_answer");
    assert_eq!(says, "the answer of echo is wrong: expected “goodbye”, found “”");
}

#[test]
fn two_servers_are_compared_over_launches() {
    let against = format!("'{}' slow 3000", program("tool-server"));
    let options =
        ["--no-floors", "--launches", "4", "--duration", "200ms", "--warm-up", "5", "--against", &against];
    let run = Run::of(0, &options, &["slow", "1000"]);
    let says = run.says();
    let versus = says["versus"].as_array().unwrap();
    let members: Vec<&str> = versus.iter().map(|versus| versus["member"].as_str().unwrap()).collect();
    assert_eq!(members, ["against", "control"]);
    let p50 = &versus[0]["rows"][0];
    assert_eq!((p50["launches"].as_array().unwrap().len(), p50["q"].as_f64()), (4, Some(0.5)));
    assert!(p50["ratio"].as_f64() > Some(1.5), "{p50:#}");
    let verdict = &crate::lab::json(&run.output)["judgement"]["verdicts"][0][0];
    assert_eq!(verdict["verdict"], "regressed", "{verdict:#}");
}

#[test]
fn the_other_questions_say_what_they_found() {
    let bound = ["--no-floors", "--p99", "20ms", "--duration", "200ms"];
    let slow = Run::ask(0, &["capacity"], &bound, &["slow", "2000"]);
    let capacity = &slow.says()["capacities"][0];
    // Two milliseconds a call: no more than 500 a second.
    assert!(
        capacity["held"].as_f64() > Some(20.0) && capacity["held"].as_f64() < Some(600.0),
        "{capacity:#}"
    );
    assert!(slow.record().join("charts/capacity.svg").is_file());

    let cold = Run::ask(0, &["cold-start"], &["--no-floors", "--launches", "3"], &["plain"]);
    assert_eq!(cold.series("server")["launches"].as_array().unwrap().len(), 3);
    assert!(cold.record().join("charts/starts.svg").is_file());

    let leak = Run::ask(0, &["soak"], &["--no-floors", "--duration", "1s"], &["leak", "1"]);
    let growth = &leak.says()["memories"][0]["growth"];
    // 4 KiB a call, thousands of calls a second.
    assert!(growth["interval"]["lo"].as_f64() > Some(1e6), "{growth:#}");
    assert!(leak.record().join("charts/soak.svg").is_file());

    let once = ["--no-floors", "--launches", "1", "--duration", "140ms", "--warm-up", "0"];
    let sweep = Run::ask(0, &["sweep", "concurrency"], &once, &["plain"]);
    assert_eq!(sweep.says()["series"].as_array().unwrap().len(), 7);
    let sweep = Run::ask(0, &["sweep", "payload"], &once, &["plain"]);
    let series = sweep.says()["series"].clone();
    assert!(
        at(&series[5]["response"], 0.5) > at(&series[0]["response"], 0.5),
        "2 MiB take longer than 100 B"
    );
}

#[test]
fn the_options_of_old_measure_the_same_and_say_the_verb() {
    let once = ["--no-floors", "--launches", "1", "--duration", "100ms", "--warm-up", "0"];
    for (options, mode, note) in [
        (&["--capacity", "--p99", "20ms"][..], "capacity", "note: mcp --capacity is now mcp capacity"),
        (&["--cold-start"], "cold_start", "note: mcp --cold-start is now mcp cold-start"),
        (&["--soak", "1s"], "soak", "note: mcp --soak TIME is now mcp soak --duration TIME"),
        (&["--cancel"], "cancel", "note: mcp --cancel is now mcp cancel"),
        (&["--sweep", "concurrency"], "sweep", "note: mcp --sweep WHAT is now mcp sweep WHAT"),
    ] {
        let run = Run::of(0, &[&once, options].concat(), &["plain"]);
        assert_eq!(run.says()["mode"], mode, "{options:?}");
        let said = stderr(&run.output);
        assert_eq!(said.lines().filter(|line| *line == note).count(), 1, "{said}");
    }
    let closed = Run::ask(0, &["closed"], &with(&["--in-flight", "2"]), &["plain"]);
    let bare = Run::of(0, &with(&["--in-flight", "2"]), &["plain"]);
    for run in [closed, bare] {
        assert_eq!(run.series("server")["load"], serde_json::json!({ "loop": "closed", "in_flight": 2 }));
        assert!(!stderr(&run.output).contains("is now"), "{}", stderr(&run.output));
    }
}

#[test]
fn a_cancelled_call_is_obeyed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wait.toml");
    fs::write(&file, "[[call]]\ntool = \"wait\"\narguments = { ms = 20 }\n").unwrap();
    let options = ["--no-floors", "--calls", file.to_str().unwrap()];
    for (mode, answered) in [("plain", 0), ("deaf", 30)] {
        let says = Run::ask(0, &["cancel"], &options, &[mode]).says();
        let found = &says["cancellations"][0];
        assert_eq!(found["cancelled"], 30);
        let late = found["answered_after"].as_u64().unwrap() + found["answered_before"].as_u64().unwrap();
        // The machine may hold a wait of 20 ms up, or a half of it.
        assert!(late.abs_diff(answered) <= 10, "{mode}: {found:#}");
        assert_eq!(found["free_again"]["count"], 30);
    }
}

#[test]
fn a_rate_that_no_client_can_send_voids_the_run() {
    let options =
        ["--no-floors", "--launches", "1", "--duration", "300ms", "--rate", "20000000", "--patience", "1s"];
    let run = Run::of(3, &options, &["plain"]);
    let void = run.says()["void"].as_str().unwrap().to_owned();
    assert!(void.starts_with("20000000 calls/s are beyond what server and client can do here: "), "{void}");
    assert!(void.contains("take a lower --rate"), "{void}");
    let shown = stdout(&lab(3, &["report", run.record().to_str().unwrap()]));
    assert!(shown.contains("\nvoid "), "{shown}");
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_and_leaves_no_record() {
    let wrong = |options: &[&str]| {
        let run = Run::of(2, options, &["plain"]);
        assert!(run.made_nothing(), "{options:?}");
        let said = stderr(&run.output);
        said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    assert_eq!(
        wrong(&["--no-floors", "--tool", "ehco"]),
        "error: --tool: the server has no tool \"ehco\"; it has echo, stats, wait (did you mean \"echo\"?)"
    );
    assert!(wrong(&["--calls", "/no/such/file"]).starts_with("error: cannot read the calls /no/such/file"));
    assert!(wrong(&["--http", "http://example.com:80/"]).contains("is not on this machine"));
    assert!(wrong(&["--http", "http://127.0.0.1:{port}/mcp"]).contains("{port} has to stand both in"));
    assert!(wrong(&["--soak", "5"]).contains("write a number with its unit"));
    assert!(wrong(&["--poisson"]).contains("without --rate: it is an option of `perflab mcp open`"));
    assert!(wrong(&["--rate", "0"]).contains("a rate is above 0"));
    assert!(wrong(&["--against", "'open"]).contains("a quote that is not closed"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = wrong(&["--no-floors", "--http", &format!("http://127.0.0.1:{port}/mcp")]);
    assert!(said.starts_with(&format!("error: port {port} is in use already")), "{said}");
    let absent = Run::on(2, &["--no-floors"], &["/no/such/server"]);
    assert!(
        absent.made_nothing()
            && stderr(&absent.output).contains("error: there is no program /no/such/server")
    );
}
