use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::json::float::{MOST_PLACES, fraction};

fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<(T, usize), Unusual> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    Ok((value, reader.consumed()))
}

fn twin<'de, T: Deserialize<'de>>(text: &'de str) -> Option<(T, usize)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = stream.next()?.ok()?;
    Some((value, stream.byte_offset()))
}

/// Where the reader answers, its twin gives the same; tells whether it answered.
fn agree(text: &str) -> bool {
    match read::<Value>(text) {
        Ok((value, consumed)) => {
            let (expected, length) = twin::<Value>(text).unwrap_or_else(|| panic!("{text:?} is not JSON"));
            assert_eq!(value.to_string(), expected.to_string(), "{text:?}");
            assert_eq!(consumed, length, "{text:?}");
            true
        }
        Err(Unusual) => false,
    }
}

#[test]
fn what_is_usual_is_read() {
    for text in [
        r#"{"a":[1,-2,3.5,true,false,null,"x"],"b":{"c":{}},"d":[]}"#,
        " {\n\t\"a\" : [ 1 , 2 ] \r\n} rest",
        r#""a\n\"\\\/\b\f\r\té \u00e9\u2028 \u0000""#,
        "1844674407370955161 ",
        "-9223372036854775808",
        "0.1",
        "-0.0",
        "1e300",
        "123456789012345678901234567890.5",
        "0.00000000000000000000000000001",
        "12345678",
        "1234567812345678",
        "0",
    ] {
        assert!(agree(text), "{text:?}");
    }
}

#[test]
fn what_is_unusual_is_left_to_the_twin() {
    for text in [
        "",
        " ",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "-0",
        "18446744073709551616",
        "1e999",
        "nul",
        "truE",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\\ude00\"",
        "\"\\udc00\"",
        "\"\t\"",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "[",
        "{",
        "[1",
        "{\"a\":1",
        "123456789012345678901",
    ] {
        assert!(read::<Value>(text).is_err(), "{text:?}");
    }
    assert!(agree(&format!("{}{}", "[".repeat(127), "]".repeat(127))));
    assert!(!agree(&format!("{}{}", "[".repeat(128), "]".repeat(128))));
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Typed {
    text: String,
    count: Option<u8>,
    #[serde(default)]
    choice: Choice,
    #[serde(default)]
    pairs: Vec<(i64, f64)>,
    #[serde(default)]
    more: BTreeMap<String, Wrapped>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Choice {
    #[default]
    One,
    Two,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Wrapped(bool);

#[test]
fn types_are_read_as_by_the_twin() {
    for (text, is_read) in [
        (r#"{"text":"a","count":null,"choice":"two","pairs":[[1,2],[-3,0.5]],"more":{"a":true}}"#, true),
        (r#"{"te\u0078t":"a\nb","choice":"o\u006ee"}"#, true),
        (r#"{"text":"a","count":256}"#, false),
        (r#"{"text":"a","count":1.0}"#, false),
        (r#"{"text":"a","text":"b"}"#, false),
        (r#"{"text":"a","other":1}"#, false),
        (r#"{"text":"a","choice":"three"}"#, false),
        (r#"{"text":"a","choice":{"two":null}}"#, false),
        (r#"{"text":"a","pairs":[[1,2,3]]}"#, false),
        (r#"["a"]"#, false),
        (r#"{"count":1}"#, false),
    ] {
        let ours = read::<Typed>(text).ok();
        assert_eq!(ours.is_some(), is_read, "{text}");
        if ours.is_some() {
            assert_eq!(ours, twin::<Typed>(text), "{text}");
        }
    }
}

#[test]
fn fractions_at_the_edges() {
    // Ties, carries to the next power of two, the largest and least digits.
    for digits in [
        0,
        1,
        5,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        9_007_199_254_740_993,
        u64::MAX,
        u64::MAX - 1,
        1 << 63,
    ] {
        for places in 0..=MOST_PLACES {
            let expected: f64 = format!("{digits}e-{places}").parse().unwrap();
            assert_eq!(fraction(digits, places).to_bits(), expected.to_bits(), "{digits}e-{places}");
        }
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_json_writes_is_read_alike(value in json()) {
        agree(&format!("[{value}]"));
        agree(&format!("[{value:#}]"));
    }

    #[test]
    fn damaged_text_is_never_read_otherwise(value in json(), at in any::<prop::sample::Index>(), with in ".") {
        let text = value.to_string();
        let mut at = at.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        agree(&format!("[{}{with}{}]", &text[..at], &text[at..]));
        agree(&format!("[{}", &text[..at]));
        agree(&format!("[{}]", &text[at..]));
    }

    #[test]
    fn every_fraction_is_the_nearest_float(digits in any::<u64>(), shift in 0u32..64, places in 0..=MOST_PLACES) {
        let digits = digits >> shift;
        let expected: f64 = format!("{digits}e-{places}").parse().unwrap();
        prop_assert_eq!(fraction(digits, places).to_bits(), expected.to_bits());
    }

    #[test]
    fn decimal_texts_are_the_nearest_float(whole in 0u64..1_000_000_000_000, behind in "[0-9]{1,25}", sign in "-?") {
        let text = format!("{sign}{whole}.{behind}");
        let (float, consumed) = read::<f64>(&text).unwrap();
        prop_assert_eq!(float.to_bits(), text.parse::<f64>().unwrap().to_bits());
        prop_assert_eq!(consumed, text.len());
    }
}
