//! A server over a directory of its own, with series and a log in it.

pub use mcp_testing::place::{Place, refusal, structured};

use std::fmt::Write as _;

/// Steps of five minutes.
const STEP_S: i64 = 300;
const START_S: i64 = 1_700_000_000;

/// A place of its own for this server.
pub fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_devops-mcp"));
    let mut text = String::from("time,load,disk\n");
    for at in 0..2_000_i64 {
        let noise = ((at * 7919) % 97) as f64 / 97.0;
        let spike = if at == 1_500 { 90.0 } else { 0.0 };
        let level = if at >= 1_200 { 5.0 } else { 0.0 };
        writeln!(
            text,
            "{},{:.4},{:.3}",
            START_S + STEP_S * at,
            10.0 + noise + spike + level,
            100.0 + at as f64 * 0.25 + noise
        )
        .unwrap();
    }
    std::fs::write(place.path("root/load.csv"), text).unwrap();
    let mut log = String::new();
    for at in 0..200 {
        let state = if at % 2 == 0 { "started" } else { "paused" };
        writeln!(log, "2026-01-01T00:{:02}:{:02}Z INFO job {at} {state}", at / 60, at % 60).unwrap();
    }
    for at in 0..40 {
        writeln!(log, "2026-01-01T00:03:{:02}Z ERROR no route to 10.0.0.{at}", at % 20).unwrap();
    }
    std::fs::write(place.path("root/app.log"), log).unwrap();
    place
}
