use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A summary of a schema, with `fields` besides those that every schema has.
fn summary(schema: &str, fields: &Value) -> String {
    let mut summary = json!({ "version": schema, "module_path": "counts::hot::dot", "id": "short" });
    let more = fields.as_object().expect("fields are an object").clone();
    summary.as_object_mut().expect("a summary is an object").extend(more);
    summary.to_string()
}

fn count(new: u64, old: u64) -> Option<Count> {
    Some(Count { new, old: Some(old) })
}

/// What every fixture below says in the words of its schema: all counts, each with an old one.
fn dot(tool: CountTool) -> CountRow {
    CountRow {
        benchmark: "counts::hot::dot::short".to_owned(),
        tool,
        instructions: Count { new: 1200, old: Some(1000) },
        cycles: count(1995, 1660),
        l1_hits: count(1500, 1250),
        ll_hits: count(8, 5),
        ram_hits: count(13, 11),
    }
}

/// Every count of `dot`, each written by `pair`.
fn events(pair: impl Fn(u64, u64) -> Value) -> Value {
    json!({
        "Ir": pair(1200, 1000),
        "D1MissRate": pair(0, 0),
        "L1hits": pair(1500, 1250),
        "LLhits": pair(8, 5),
        "RamHits": pair(13, 11),
        "EstimatedCycles": pair(1995, 1660),
    })
}

fn of_schemas_1_and_2(events: &Value) -> Value {
    json!({ "tool_summaries": [], "callgrind_summary": { "summaries": [{ "command": "a", "events": events }] } })
}

fn of_schema_3(events: &Value) -> Value {
    let run = json!({ "segments": [], "total": { "summary": events, "regressions": [] } });
    json!({ "tool_summaries": [], "callgrind_summary": { "callgrind_run": run } })
}

fn of_schemas_4_to_6(tool: &str, events: &Value) -> Value {
    let total = json!({ "summary": { tool: events }, "regressions": [] });
    json!({ "profiles": [{ "tool": tool, "summaries": { "parts": [], "total": total } }] })
}

fn of_schema_7(tool: &str, events: &Value) -> Value {
    let total = json!({ "metrics": events, "regressions": [] });
    json!({ "profiles": [{ "tool": tool, "data": { "parts": [], "total": total } }] })
}

fn bare(new: u64, old: u64) -> Value {
    json!({ "metrics": { "Both": [new, old] }, "diffs": null })
}

fn tagged(new: u64, old: u64) -> Value {
    json!({ "metrics": { "Both": [{ "Int": new }, { "Int": old }] }, "diffs": null })
}

fn named(new: u64, old: u64) -> Value {
    json!({ "values": { "new": new, "old": old } })
}

#[test]
fn schemas_1_and_2_have_the_events_of_runs() {
    let fields = of_schemas_1_and_2(&events(|new, old| json!({ "new": new, "old": old, "diff_pct": 20.0 })));
    for schema in ["1", "2"] {
        let rows = read_summary(&summary(schema, &fields)).unwrap();
        assert_eq!(rows, [dot(CountTool::Callgrind)], "schema {schema}");
    }
}

#[test]
fn schema_3_has_one_total_for_all_segments() {
    let rows = read_summary(&summary("3", &of_schema_3(&events(bare)))).unwrap();
    assert_eq!(rows, [dot(CountTool::Callgrind)]);
}

#[test]
fn schema_4_has_profiles_with_bare_counts() {
    for (tag, tool) in [("Callgrind", CountTool::Callgrind), ("Cachegrind", CountTool::Cachegrind)] {
        let rows = read_summary(&summary("4", &of_schemas_4_to_6(tag, &events(bare)))).unwrap();
        assert_eq!(rows, [dot(tool)]);
    }
}

#[test]
fn schemas_5_and_6_tag_their_counts_and_late_6_does_not() {
    for schema in ["5", "6"] {
        for pair in [tagged, bare] {
            let rows =
                read_summary(&summary(schema, &of_schemas_4_to_6("Callgrind", &events(pair)))).unwrap();
            assert_eq!(rows, [dot(CountTool::Callgrind)], "schema {schema}");
        }
    }
}

#[test]
fn schema_7_names_new_and_old() {
    for (tag, tool) in [("Callgrind", CountTool::Callgrind), ("Cachegrind", CountTool::Cachegrind)] {
        let rows = read_summary(&summary("7", &of_schema_7(tag, &events(named)))).unwrap();
        assert_eq!(rows, [dot(tool)]);
    }
}

#[test]
fn what_was_not_counted_is_absent() {
    let only_new = json!({ "Ir": { "values": { "new": 7 } } });
    let mut fields = of_schema_7("Callgrind", &only_new);
    fields["id"] = Value::Null;
    let row = &read_summary(&summary("7", &fields)).unwrap()[0];
    assert_eq!(row.benchmark, "counts::hot::dot", "without an id, the path is the name");
    assert_eq!(row.instructions, Count { new: 7, old: None });
    assert_eq!((row.cycles, row.l1_hits, row.ll_hits, row.ram_hits), (None, None, None, None));

    let left = json!({ "Ir": { "metrics": { "Left": { "Int": 7 } } } });
    let rows = read_summary(&summary("6", &of_schemas_4_to_6("Callgrind", &left))).unwrap();
    assert_eq!(rows[0].instructions, Count { new: 7, old: None });
}

#[test]
fn a_benchmark_without_new_instructions_has_no_row() {
    let right = json!({ "Ir": { "metrics": { "Right": 7 } } });
    let old = json!({ "Ir": { "values": { "old": 7 } } });
    for (schema, fields) in [
        ("1", json!({ "tool_summaries": [], "callgrind_summary": null })),
        ("3", of_schema_3(&right)),
        ("6", of_schemas_4_to_6("ErrorTool", &events(tagged))),
        ("6", json!({ "profiles": [{ "tool": "BBV", "summaries": { "total": { "summary": "None" } } }] })),
        ("7", of_schema_7("Callgrind", &old)),
        // A processor's counter of instructions does not repeat exactly.
        ("7", of_schema_7("Perf", &events(named))),
    ] {
        assert_eq!(read_summary(&summary(schema, &fields)).unwrap(), [], "schema {schema}: {fields}");
    }
}

#[test]
fn an_unknown_schema_is_named_with_those_that_are_read() {
    let error = read_summary(&summary("8", &of_schema_7("Callgrind", &events(named)))).unwrap_err();
    assert!(matches!(&error, CountsError::Schema { found } if found == "8"));
    let text = error.to_string();
    assert!(text.contains("schema 8") && text.contains("schemas 1 to 7"), "{text}");
}

#[test]
fn every_schema_that_is_named_is_read() {
    for schema in COUNT_SCHEMAS {
        let error = read_summary(&summary(schema, &json!({ "profiles": 0, "callgrind_summary": 0 })));
        assert!(matches!(error, Err(CountsError::Malformed { .. })), "schema {schema}: {error:?}");
    }
}

#[test]
fn other_json_is_no_summary() {
    let manifest = json!({ "name": "a", "version": "7" }).to_string();
    for text in ["null", "[]", "{}", "7", "\"7\"", &manifest] {
        assert!(matches!(read_summary(text), Err(CountsError::NotSummary)), "{text}");
    }
}

#[test]
fn a_count_that_is_no_whole_number_breaks_the_schema() {
    for wrong in [json!(-1), json!(1.5), json!("1"), json!({ "Float": 1.0 })] {
        let events = json!({ "Ir": { "values": { "new": wrong } } });
        let error = read_summary(&summary("7", &of_schema_7("Callgrind", &events))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("its schema 7") && text.contains("not a whole number"), "{text}");
    }
}

#[test]
fn a_summary_that_was_cut_off_is_told_from_another_file() {
    let whole = summary("7", &of_schema_7("Callgrind", &events(named)));
    for end in 0..whole.len() {
        let error = read_summary(&whole[..end]).unwrap_err();
        assert!(matches!(error, CountsError::NotJson(_)), "{end}: {error}");
    }
}

#[test]
fn change_is_in_percent_of_the_old_count() {
    let change = |new, old| Count { new, old }.change_percent();
    assert_eq!(change(1200, Some(1000)), Some(20.0));
    assert_eq!(change(750, Some(1000)), Some(-25.0));
    assert_eq!(change(0, Some(0)), Some(0.0));
    assert_eq!(change(1, Some(0)), None);
    assert_eq!(change(1, None), None);
}

/// Any JSON, with the words of summaries more likely than others.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("version"),
        Just("module_path"),
        Just("id"),
        Just("profiles"),
        Just("summaries"),
        Just("data"),
        Just("total"),
        Just("summary"),
        Just("metrics"),
        Just("values"),
        Just("tool"),
        Just("Callgrind"),
        Just("Both"),
        Just("Ir"),
        Just("new"),
        Just("callgrind_summary"),
        Just("other"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(word, value)| (word.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(value in any_json(), schema in "[0-9]{1,2}") {
        let _ = read_summary(&value.to_string());
        let fields = if value.is_object() { value } else { json!({ "profiles": value }) };
        let known = COUNT_SCHEMAS.contains(&schema.as_str());
        let mut named = fields;
        named["version"] = json!(schema);
        named["module_path"] = json!("a::b");
        let unknown = matches!(read_summary(&named.to_string()), Err(CountsError::Schema { .. }));
        prop_assert_eq!(unknown, !known);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        prop_assert!(read_summary(&text).is_err());
    }

    #[test]
    fn every_count_comes_back_exactly(new in any::<u64>(), old in any::<u64>()) {
        let events = json!({ "Ir": named(new, old) });
        let rows = read_summary(&summary("7", &of_schema_7("Callgrind", &events))).unwrap();
        prop_assert_eq!(rows[0].instructions, Count { new, old: Some(old) });
    }
}
