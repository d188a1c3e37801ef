use serde_json::json;

use super::*;

fn problem(schema: &Value, value: &Value) -> Option<String> {
    Check::new(schema.as_object().unwrap()).problem(value)
}

/// Stands in for an engine: a pattern is a text to start with, `?` is one that nobody understands.
fn starts(pattern: &str, text: &str) -> Option<bool> {
    (pattern != "?").then(|| text.starts_with(pattern))
}

fn with_patterns(schema: &Value, value: &Value) -> Option<String> {
    Check::new(schema.as_object().unwrap()).patterns(starts).problem(value)
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let schema = json!({
        "type": "object", "required": ["mean"], "additionalProperties": false,
        "properties": {
            "mean": {"type": "number"},
            "list": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/n"}},
        },
        "$defs": {"n": {"type": "integer", "minimum": 0}},
    });
    assert_eq!(problem(&schema, &json!({"mean": 1, "list": [1, 2.0]})), None);
    for (value, sentence) in [
        (json!({}), "`mean` is required"),
        (json!({"mean": "1"}), "`mean` must be a number, not a string"),
        (json!({"mean": 1, "x": 1}), "`x` is not known; known are `list`, `mean`"),
        (json!({"mean": 1, "list": [0, 1.5]}), "`list[1]` must be an integer, not 1.5"),
        (json!({"mean": 1, "list": [-1]}), "`list[0]` must be at least 0, not -1"),
        (json!({"mean": 1, "list": [1, 2, 3]}), "`list` must have at most 2 items, not 3"),
        (json!(3), "the value must be an object, not 3"),
    ] {
        assert_eq!(problem(&schema, &value).as_deref(), Some(sentence));
    }
    let kinds = json!({"type": ["string", "null"]});
    assert_eq!(problem(&kinds, &json!(3)).unwrap(), "the value must be a string or null, not 3");
    let closed = json!({"additionalProperties": false});
    let check = Check::new(closed.as_object().unwrap()).called("the arguments", "arguments");
    assert_eq!(check.problem(&json!({"a": 1})).unwrap(), "`a` is not known: there are no arguments");
}

#[test]
fn every_keyword_takes_and_refuses() {
    // A schema, what it takes, what it refuses. What each is follows from the text of the draft.
    let table = [
        (json!({"type": "integer"}), json!(1.0), json!(1.5)),
        (json!({"enum": [1, [2.0]]}), json!([2]), json!([3])),
        (json!({"const": {"a": 1}}), json!({"a": 1.0}), json!({"a": 1, "b": 1})),
        (json!({"minimum": 1}), json!(1), json!(0.9)),
        (json!({"maximum": 1}), json!(1), json!(1.1)),
        (json!({"exclusiveMinimum": 1}), json!(1.1), json!(1)),
        (json!({"exclusiveMaximum": 1}), json!(0.9), json!(1)),
        (json!({"multipleOf": 0.01}), json!(19.99), json!(19.995)),
        (json!({"minLength": 2}), json!("éé"), json!("é")),
        (json!({"maxLength": 2.0}), json!("éé"), json!("ééé")),
        (json!({"minItems": 1}), json!([1]), json!([])),
        (json!({"maxItems": 1}), json!([1]), json!([1, 2])),
        (json!({"uniqueItems": true}), json!([1, "1"]), json!([1, 1.0])),
        (json!({"prefixItems": [{"type": "string"}], "items": false}), json!(["a"]), json!(["a", 1])),
        (json!({"contains": {"type": "null"}}), json!([1, null]), json!([1])),
        (json!({"contains": true, "minContains": 2}), json!([1, 1]), json!([1])),
        (json!({"contains": {"const": 1}, "maxContains": 1}), json!([1, 2]), json!([1, 1])),
        (json!({"required": ["a"]}), json!({"a": null}), json!({"b": 1})),
        (json!({"minProperties": 1}), json!({"a": 1}), json!({})),
        (json!({"maxProperties": 1}), json!({"a": 1}), json!({"a": 1, "b": 1})),
        (json!({"additionalProperties": {"type": "null"}}), json!({"a": null}), json!({"a": 1})),
        (json!({"propertyNames": {"maxLength": 1}}), json!({"a": 1}), json!({"ab": 1})),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"a": 1, "b": 1}), json!({"a": 1})),
        (json!({"dependentSchemas": {"a": {"minProperties": 2}}}), json!({"b": 1}), json!({"a": 1})),
        (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(2), json!(3)),
        (json!({"anyOf": [{"type": "null"}, {"minimum": 2}]}), json!(2), json!(1)),
        (json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), json!(1), json!(2)),
        (json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), json!(1.5), json!(0)),
        (json!({"not": {"type": "null"}}), json!(1), json!(null)),
        (json!({"if": {"minimum": 5}, "then": {"maximum": 9}}), json!(9), json!(10)),
        (json!({"if": {"minimum": 5}, "else": {"minimum": 3}}), json!(3), json!(2)),
    ];
    for (schema, valid, invalid) in table {
        assert_eq!(problem(&schema, &valid), None, "{schema} takes {valid}");
        assert!(problem(&schema, &invalid).is_some(), "{schema} refuses {invalid}");
    }
}

#[test]
fn keywords_work_together() {
    let schema = json!({
        "$defs": {"port": {"type": "integer", "maximum": 65535}},
        "properties": {
            "port": {"$ref": "#/$defs/port"},
            "kind": {"oneOf": [{"const": "a"}, {"enum": ["a", "b"]}]},
            "even": {"multipleOf": 2, "exclusiveMinimum": 0, "exclusiveMaximum": 10},
            "set": {"uniqueItems": true, "minItems": 1, "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            "not": {"not": {"type": "boolean"}},
        },
        "allOf": [{"anyOf": [{"required": ["port"]}, {"required": ["kind"]}]}],
        "if": {"required": ["even"]},
        "then": {"required": ["set"]},
    });
    for valid in [
        json!({"port": 80}),
        json!({"kind": "b"}),
        json!({"port": 1, "even": 4, "set": ["a", 1, 2]}),
        json!({"port": 1, "not": 3}),
    ] {
        assert_eq!(problem(&schema, &valid), None, "{valid}");
    }
    for invalid in [
        json!({}),
        json!({"port": 65536}),
        json!({"port": 1.5}),
        json!({"kind": "a"}),
        json!({"kind": "c"}),
        json!({"port": 1, "even": 4}),
        json!({"port": 1, "even": 3, "set": ["a"]}),
        json!({"port": 1, "even": 10, "set": ["a"]}),
        json!({"port": 1, "set": []}),
        json!({"port": 1, "set": ["a", 1, 1]}),
        json!({"port": 1, "set": [1]}),
        json!({"port": 1, "not": true}),
    ] {
        assert!(problem(&schema, &invalid).is_some(), "{invalid}");
    }
}

#[test]
fn patterns_are_checked_by_who_brings_a_matcher() {
    let schema = json!({"properties": {"key": {"pattern": "sk-"}}});
    assert_eq!(with_patterns(&schema, &json!({"key": "sk-1"})), None);
    assert_eq!(with_patterns(&schema, &json!({"key": "1"})).unwrap(), "`key` must match sk-");
    assert_eq!(problem(&schema, &json!({"key": "1"})), None);
    assert_eq!(with_patterns(&json!({"pattern": "?"}), &json!("1")), None);
    let named = json!({"patternProperties": {"n-": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!(with_patterns(&named, &json!({"n-1": 1})), None);
    assert_eq!(
        with_patterns(&named, &json!({"n-1": "1"})).unwrap(),
        "`n-1` must be an integer, not a string"
    );
    assert!(with_patterns(&named, &json!({"m-1": 1})).is_some());
    // Nobody can tell whether the name is one of them.
    assert_eq!(problem(&named, &json!({"m-1": 1})), None);
}

#[test]
fn null_is_missing_where_that_is_asked_for() {
    let schema = json!({"required": ["a"], "properties": {"a": {"type": "number"}, "b": {"type": "number"}}});
    let check = Check::new(schema.as_object().unwrap());
    assert!(check.problem(&json!({"a": 1, "b": null})).is_some());
    let check = check.null_as_missing();
    assert_eq!(check.problem(&json!({"a": 1, "b": null})), None);
    assert!(check.problem(&json!({"a": null})).is_some());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    assert_eq!(problem(&json!({"$ref": "#"}), &json!({"a": {}})), None);
    let circle =
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    assert_eq!(problem(&circle, &json!({"a": {}})), None);
    assert!(resolved(&circle, &circle)["$ref"].is_string());
    let list = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
    let chain = |end: Value| (0..100).fold(end, |chain, _| json!({"next": chain}));
    assert_eq!(problem(&list, &chain(json!({}))), None);
    assert!(problem(&list, &chain(json!(1))).is_some());
}

#[test]
fn references_lead_to_members_and_items() {
    let schema =
        json!({"a/b": {"type": "null"}, "prefixItems": [{"$ref": "#/a~1b"}, {"$ref": "#/prefixItems/0"}]});
    assert_eq!(problem(&schema, &json!([null, null])), None);
    assert!(problem(&schema, &json!([null, 1])).is_some());
    assert_eq!(problem(&json!({"$ref": "https://example.com/schema"}), &json!(1)), None);
    let root = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "null"}}});
    assert_eq!(resolved(&root["$defs"]["a"], &root), &json!({"type": "null"}));
}

#[test]
fn what_is_passed_over_is_named() {
    let schema = json!({
        "title": "a", "x-mcp-header": "b", "unevaluatedProperties": false, "$defs": {"title": {"$dynamicRef": "#a"}},
        "properties": {"unknown": {"type": "string", "format": "date", "default": {"odd": 1}}},
        "anyOf": [{"items": {"minimumm": 1}}],
    });
    assert_eq!(
        unchecked(&schema).into_iter().collect::<Vec<_>>(),
        ["$dynamicRef", "minimumm", "unevaluatedProperties"]
    );
}
