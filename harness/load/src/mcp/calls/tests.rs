use super::*;
use crate::mcp::Era;
use rand::SeedableRng as _;
use serde_json::json;

const FILE: &str = r#"
[[call]]
tool = "echo"
weight = 3
arguments = { text = "call {n} of {payload:5}", k = "{int:10..12}", plain = "{ n }" }
expect = "call {n}"

[[call]]
tool = "sum"
arguments = { values = [1, 2] }
expect_structured = { sum = 3 }
"#;

fn tools() -> Vec<Tool> {
    ["echo", "sum"].map(|name| Tool { name: name.to_owned(), ..Tool::default() }).into()
}

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[test]
fn a_file_becomes_requests() {
    let calls = parse_calls("calls.toml", FILE, &tools()).unwrap();
    let mix = Mix::new(calls, &Protocol::proposed(Era::Legacy));
    let (mut seen, mut random) = ([0; 2], random(1));
    for id in 0..400 {
        let mut out = Vec::new();
        let (call, due) = mix.write(id, id + 5, &mut random, &mut out);
        seen[call] += 1;
        let request: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&request["id"], &request["method"]), (&id.into(), &"tools/call".into()));
        let arguments = &request["params"]["arguments"];
        if call == 0 {
            assert_eq!(due, Some(format!("call {}", id + 5)));
            assert_eq!(arguments["text"], format!("call {} of the q", id + 5));
            assert!((10..=12).contains(&arguments["k"].as_i64().unwrap()), "a number: {arguments}");
            assert_eq!(arguments["plain"], "{ n }");
        } else {
            assert_eq!((due, arguments), (None, &json!({ "values": [1, 2] })));
        }
    }
    assert!((250..350).contains(&seen[0]) && seen[0] + seen[1] == 400, "three of four: {seen:?}");
}

#[test]
fn the_same_seed_makes_the_same_calls() {
    let mix = Mix::new(parse_calls("f", FILE, &tools()).unwrap(), &Protocol::proposed(Era::Modern));
    let text = |seed| {
        let (mut out, mut random) = (Vec::new(), random(seed));
        (0..50).for_each(|id| drop(mix.write(id, id, &mut random, &mut out)));
        out
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

#[test]
fn faults_of_a_file_have_a_place() {
    let said = |text: &str| parse_calls("c.toml", text, &tools()).unwrap_err().0;
    assert!(said("[[call]]\ntool = \"echo\"\nweigth = 2\n").starts_with("c.toml:3: unknown field `weigth`"));
    assert_eq!(
        said("[[call]]\ntool = \"ehco\"\n"),
        "c.toml: the server has no tool \"ehco\"; it has echo, sum (did you mean \"echo\"?)"
    );
    assert!(said("[[call]]\ntool = \"echo\"\nweight = 0\n").contains("no call has a weight above 0"));
    let wrong = "[[call]]\ntool = \"echo\"\narguments = { k = \"{int:9..1}\" }\n";
    assert!(said(wrong).contains("is not a template: write {int:1..100}"), "{}", said(wrong));
}

#[test]
fn numbers_are_a_list_whose_sums_are_exact() {
    let file =
        "[[call]]\ntool = \"sum\"\narguments = { values = \"{numbers:1000}\", k = \"x {numbers:3}\" }\n";
    let mix = Mix::new(parse_calls("f", file, &tools()).unwrap(), &Protocol::proposed(Era::Legacy));
    let mut out = Vec::new();
    mix.write(1, 1, &mut random(1), &mut out);
    let request: Value = serde_json::from_slice(&out).unwrap();
    let arguments = &request["params"]["arguments"];
    assert_eq!(arguments["k"], "x {numbers:3}", "only as the whole text");
    let values: Vec<f64> =
        arguments["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(values.len(), 1000);
    // In 1/1024: whole numbers, so that integers tell the sums without any rounding.
    let whole: Vec<i64> = values.iter().map(|value| (value * 1024.0) as i64).collect();
    assert!(values.iter().zip(&whole).all(|(value, whole)| *whole as f64 / 1024.0 == *value));
    assert_eq!(whole.iter().sum::<i64>(), 512 * 1024 * 1000);
    let squares: i64 = whole.iter().map(|whole| (whole - 512 * 1024).pow(2)).sum();
    assert!(squares < 1 << 53);
    let backwards: f64 = values.iter().rev().map(|value| (value - 512.0).powi(2)).sum();
    assert_eq!(backwards, squares as f64 / f64::from(1 << 20));
    let different: std::collections::HashSet<i64> = whole.iter().copied().collect();
    assert!(different.len() > 990, "{}", different.len());
}

#[test]
fn a_due_text_may_have_a_payload() {
    let file =
        "[[call]]\ntool = \"echo\"\narguments = { text = \"{payload:8}\" }\nexpect = \"{payload:8}\"\n";
    let mix = Mix::new(parse_calls("f", file, &tools()).unwrap(), &Protocol::proposed(Era::Legacy));
    let (mut out, due) = (Vec::new(), mix.calls[0].expect.text.clone().unwrap());
    assert_eq!(mix.write(1, 1, &mut random(1), &mut out), (0, None));
    assert_eq!(due.len(), 8);
    let request: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(request["params"]["arguments"]["text"], due);
}
