//! A log whose kinds of lines are known.

use devops::logs::templates;
use perflab_subject::answer::{digest, mix};
use perflab_subject::{Benchmark, Input};

/// Kinds of lines, with the place of a number, and what they become.
const KINDS: [(&str, &str); 5] = [
    ("2026-01-01T00:00:00Z INFO job NUMBER started", "INFO job <*> started"),
    ("2026-01-01T00:00:01Z INFO job NUMBER paused", "INFO job <*> paused"),
    ("2026-01-01T00:00:02Z WARN disk /dev/sdNUMBER is slow: NUMBER ms", "WARN disk <*> is slow: <*> ms"),
    ("2026-01-01T00:00:03Z ERROR no route to 10.0.0.NUMBER", "ERROR no route to <*>"),
    ("2026-01-01T00:00:04Z INFO GET /items/NUMBER 200 in NUMBER ms", "INFO GET <*> <*> in <*> ms"),
];

/// How often each kind is there: no two are equally frequent.
fn times(kind: usize, input: Input) -> usize {
    (kind + 1) * if input == Input::Count { 1 } else { 200 }
}

fn text(input: Input) -> String {
    let lines = KINDS.iter().enumerate().flat_map(|(kind, (line, _))| {
        (0..times(kind, input)).map(move |number| line.replace("NUMBER", &number.to_string()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn known(input: Input) -> u64 {
    KINDS.iter().enumerate().rev().fold(0, |answer, (kind, (_, template))| {
        mix(mix(answer, digest(template)), times(kind, input) as u64)
    })
}

fn answer(text: &str) -> u64 {
    let found = templates(text.lines());
    found.found.iter().fold(0, |answer, one| mix(mix(answer, digest(&one.text)), one.count as u64))
}

/// One benchmark: from lines to templates.
pub fn all() -> Vec<Benchmark> {
    let lines = Benchmark::new("logs/templates", known(Input::Measure), known(Input::Count), |input| {
        let text = text(input);
        move || answer(&text)
    });
    vec![lines.code(&["devops::logs"])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_found() {
        for input in [Input::Measure, Input::Count] {
            assert_eq!(answer(&text(input)), known(input), "{:?}", templates(text(input).lines()));
        }
    }
}
