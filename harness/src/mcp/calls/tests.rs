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
    assert!(said(wrong).contains("is no template: write {int:1..100}"), "{}", said(wrong));
}
