//! The JSON Schemas of tools: made from types, tidied for readers, and used to say what is wrong with
//! arguments.
//!
//! Types decide first; the schema is asked where it says more than the type (a range, a length), and to
//! turn a refusal into a sentence. The keywords of JSON Schema 2020-12 that schemars writes are known, with
//! the ones for composition; `pattern` and `format` are not enforced.

use std::fmt::Write as _;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Number, Value};

/// Numeric formats whose ranges the types of Rust enforce.
const UNSIGNED: [&str; 6] = ["uint", "uint8", "uint16", "uint32", "uint64", "uint128"];

/// Keywords that say more than a type does.
const CONSTRAINTS: [&str; 15] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "allOf",
    "if",
    "not",
    "oneOf",
];

/// The schema of a tool's parameters, and whether it says more than the type enforces.
pub(crate) fn of_input<P: JsonSchema>() -> (Map<String, Value>, bool) {
    let schema = of::<P>();
    let constrained = is_constrained(&Value::Object(schema.clone()));
    let mut schema = Value::Object(tidy(schema));
    without_nulls(&mut schema);
    match schema {
        Value::Object(schema) => (schema, constrained),
        _ => unreachable!("an object stays an object"),
    }
}

/// Members that may be left out are not also described as `null`: it says the same twice, and some clients
/// know no types with two names. A `null` is taken for a member that was left out.
fn without_nulls(schema: &mut Value) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !required.iter().any(|required| required == name) {
            without_null(property);
        }
        without_nulls(property);
    }
    if let Some(items) = schema.get_mut("items") {
        without_nulls(items);
    }
}

fn without_null(property: &mut Value) {
    let Value::Object(property) = property else { return };
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            property.insert("type".into(), kind);
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(forms)) = property.get_mut("anyOf") {
        forms.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(form)] = forms.as_slice() {
            let form = form.clone();
            property.remove("anyOf");
            // What is said about the member goes before what is said about its type.
            for (keyword, value) in form {
                property.entry(keyword).or_insert(value);
            }
        }
    }
}

/// The schema of an answer.
pub(crate) fn of_output<T: JsonSchema>() -> Map<String, Value> {
    tidy(of::<T>())
}

fn of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(object) => object,
        // `true`, the schema of any value.
        _ => Map::new(),
    }
}

fn is_constrained(schema: &Value) -> bool {
    let Value::Object(object) = schema else {
        return matches!(schema, Value::Array(all) if all.iter().any(is_constrained));
    };
    let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
    let natural = UNSIGNED.contains(&format);
    let own = CONSTRAINTS
        .iter()
        .any(|keyword| object.contains_key(*keyword) && !(natural && is_natural(object, keyword)))
        || object.get("minimum").is_some_and(|minimum| !(natural && minimum.as_f64() == Some(0.0)));
    own || object.iter().any(|(keyword, value)| match keyword.as_str() {
        "properties" | "$defs" => value.as_object().is_some_and(|all| all.values().any(is_constrained)),
        "items" | "prefixItems" | "additionalProperties" | "anyOf" => is_constrained(value),
        _ => false,
    })
}

/// Whether the largest value is that of the type, which schemars writes for small integers.
fn is_natural(object: &Map<String, Value>, keyword: &str) -> bool {
    let largest = object.get("maximum").and_then(Value::as_u64);
    keyword == "maximum" && [Some(u64::from(u8::MAX)), Some(u64::from(u16::MAX))].contains(&largest)
}

/// Leaves out what costs a reader tokens and says nothing: titles of types, the dialect that is the
/// default, numeric formats.
fn tidy(mut schema: Map<String, Value>) -> Map<String, Value> {
    schema.remove("$schema");
    let mut value = Value::Object(schema);
    tidy_in_place(&mut value);
    match value {
        Value::Object(schema) => schema,
        _ => unreachable!("an object stays an object"),
    }
}

fn tidy_in_place(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(tidy_in_place),
        Value::Object(object) => {
            object.remove("title");
            let is_numeric = |format: &Value| {
                format.as_str().is_some_and(|f| {
                    UNSIGNED.contains(&f) || f.starts_with("int") || f == "double" || f == "float"
                })
            };
            if object.get("format").is_some_and(is_numeric) {
                object.remove("format");
            }
            for (keyword, value) in object.iter_mut() {
                match keyword.as_str() {
                    // Names of members are data: one may be called `title`.
                    "properties" | "$defs" => {
                        value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(tidy_in_place);
                    }
                    "default" | "const" | "enum" | "examples" => {}
                    _ => tidy_in_place(value),
                }
            }
        }
        _ => {}
    }
}

/// A schema without what it says to readers, and without what says nothing: any other member is allowed anyway,
/// a count is never negative, a member that may be missing is never null, and which members of an inner object are
/// always there is seen in the first answer.
pub(crate) fn terse(schema: Map<String, Value>) -> Map<String, Value> {
    let mut schema = Value::Object(schema);
    without_nulls(&mut schema);
    let Value::Object(mut schema) = schema else { unreachable!("an object stays an object") };
    let required = schema.remove("required");
    bare(&mut schema);
    schema.extend(required.map(|required| ("required".to_owned(), required)));
    schema
}

fn bare(schema: &mut Map<String, Value>) {
    schema.remove("description");
    schema.remove("required");
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        schema.remove("additionalProperties");
    }
    if schema.get("minimum").and_then(Value::as_f64) == Some(0.0) {
        schema.remove("minimum");
    }
    for (keyword, value) in schema.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(members)) => {
                members.values_mut().filter_map(Value::as_object_mut).for_each(bare);
            }
            ("default" | "const" | "enum" | "examples", _) => {}
            (_, Value::Object(inner)) => bare(inner),
            (_, Value::Array(all)) => all.iter_mut().filter_map(Value::as_object_mut).for_each(bare),
            (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
        }
    }
}

/// What is wrong with a value, as a sentence without its full stop; `None` when it is valid.
pub(crate) fn problem(schema: &Map<String, Value>, value: &Value) -> Option<String> {
    Checker { root: schema }.object(schema, value, &mut String::new()).err()
}

/// Writes whole numbers in float form (`1.0`), which JSON Schema takes for integers, as integers.
pub(crate) fn with_whole_numbers(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(with_whole_numbers),
        Value::Object(object) => object.values_mut().for_each(with_whole_numbers),
        Value::Number(number) => {
            // Beyond 2^53 a float does not say which integer was meant.
            let whole = number.as_f64().filter(|f| number.is_f64() && f.fract() == 0.0 && f.abs() < 9e15);
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
            if let Some(float) = whole {
                *number = Number::from(float as i64);
            }
        }
        _ => {}
    }
}

struct Checker<'a> {
    root: &'a Map<String, Value>,
}

type Checked = Result<(), String>;

impl Checker<'_> {
    fn any(&self, schema: &Value, value: &Value, path: &mut String) -> Checked {
        match schema {
            Value::Object(object) => self.object(object, value, path),
            Value::Bool(false) => Err(format!("{} is not allowed", named(path))),
            _ => Ok(()),
        }
    }

    fn object(&self, schema: &Map<String, Value>, value: &Value, path: &mut String) -> Checked {
        if let Some(target) =
            schema.get("$ref").and_then(Value::as_str).and_then(|address| self.find(address))
        {
            self.any(target, value, path)?;
        }
        kind(schema, value, path)?;
        choice(schema, value, path)?;
        match value {
            Value::Number(number) => range(schema, number, path)?,
            Value::String(text) => {
                size(schema, ["minLength", "maxLength"], text.chars().count(), "characters", path)?
            }
            Value::Array(items) => self.items(schema, items, path)?,
            Value::Object(members) => self.members(schema, members, path)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.composed(schema, value, path)
    }

    fn find(&self, address: &str) -> Option<&Value> {
        let steps = address.strip_prefix("#/")?;
        let mut at = self.root.get(steps.split('/').next()?)?;
        for step in steps.split('/').skip(1) {
            at = at.get(step.replace("~1", "/").replace("~0", "~"))?;
        }
        Some(at)
    }

    fn items(&self, schema: &Map<String, Value>, items: &[Value], path: &mut String) -> Checked {
        size(schema, ["minItems", "maxItems"], items.len(), "items", path)?;
        if schema.get("uniqueItems") == Some(&Value::Bool(true))
            && items.iter().enumerate().any(|(at, item)| items[..at].contains(item))
        {
            return Err(format!("{} must not hold an item twice", named(path)));
        }
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or_else(|| schema.get("items")) {
                within(path, &format!("[{index}]"), |path| self.any(schema, item, path))?;
            }
        }
        Ok(())
    }

    fn members(
        &self,
        schema: &Map<String, Value>,
        members: &Map<String, Value>,
        path: &mut String,
    ) -> Checked {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                return Err(within(path, &dotted(name), |path| format!("{} is required", named(path))));
            }
        }
        size(schema, ["minProperties", "maxProperties"], members.len(), "members", path)?;
        for (name, value) in members {
            let known = properties.and_then(|properties| properties.get(name));
            // The same as leaving it out, see `without_nulls`.
            let is_absent = known.is_some() && value.is_null() && !required.iter().any(|other| other == name);
            let Some(schema) = known.or_else(|| schema.get("additionalProperties")).filter(|_| !is_absent)
            else {
                continue;
            };
            if known.is_none() && schema == &Value::Bool(false) {
                return Err(unknown(name, properties, path));
            }
            within(path, &dotted(name), |path| self.any(schema, value, path))?;
        }
        Ok(())
    }

    fn composed(&self, schema: &Map<String, Value>, value: &Value, path: &mut String) -> Checked {
        let all = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        for part in all("allOf").into_iter().flatten() {
            self.any(part, value, path)?;
        }
        if let Some(parts) = all("anyOf") {
            self.some(parts, value, path)?;
        }
        if let Some(parts) = all("oneOf") {
            self.some(parts, value, path)?;
            if parts.iter().filter(|part| self.any(part, value, path).is_ok()).count() > 1 {
                return Err(format!("{} fits more than one of its forms", named(path)));
            }
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.any(condition, value, path).is_ok() { "then" } else { "else" };
            if let Some(part) = schema.get(branch) {
                self.any(part, value, path)?;
            }
        }
        if schema.get("not").is_some_and(|part| self.any(part, value, path).is_ok()) {
            return Err(format!("{} has a form that is excluded", named(path)));
        }
        Ok(())
    }

    /// Passes when one of the parts does. The first refusal is told: schemars writes the form that is meant
    /// before `null`.
    fn some(&self, parts: &[Value], value: &Value, path: &mut String) -> Checked {
        let mut refusal = Ok(());
        for part in parts {
            match self.any(part, value, path) {
                Ok(()) => return Ok(()),
                Err(reason) => refusal = refusal.and(Err(reason)),
            }
        }
        refusal
    }
}

fn within<T>(path: &mut String, step: &str, check: impl FnOnce(&mut String) -> T) -> T {
    let length = path.len();
    path.push_str(step);
    let result = check(path);
    path.truncate(length);
    result
}

fn dotted(name: &str) -> String {
    format!(".{name}")
}

fn named(path: &str) -> String {
    match path.strip_prefix('.').unwrap_or(path) {
        "" => "the arguments".into(),
        path => format!("`{path}`"),
    }
}

fn unknown(name: &str, properties: Option<&Map<String, Value>>, path: &mut String) -> String {
    let known: Vec<_> =
        properties.into_iter().flat_map(Map::keys).map(|known| format!("`{known}`")).collect();
    let unknown = within(path, &dotted(name), |path| named(path));
    if known.is_empty() {
        format!("{unknown} is not known: there are no arguments")
    } else {
        format!("{unknown} is not known; known are {}", known.join(", "))
    }
}

fn kind(schema: &Map<String, Value>, value: &Value, path: &str) -> Checked {
    let allowed: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if allowed.iter().any(|kind| is_of_kind(value, kind)) {
        return Ok(());
    }
    let wanted: Vec<_> = allowed.iter().map(|kind| with_article(kind)).collect();
    Err(format!("{} must be {}, not {}", named(path), wanted.join(" or "), shown(value)))
}

fn is_of_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" => "null".into(),
        "array" | "object" | "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "a boolean".into(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

fn choice(schema: &Map<String, Value>, value: &Value, path: &str) -> Checked {
    let same =
        |allowed: &Value| allowed == value || (allowed.is_number() && allowed.as_f64() == value.as_f64());
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.iter().any(same)
    {
        let list: Vec<_> = allowed.iter().map(Value::to_string).collect();
        return Err(format!("{} must be one of {}", named(path), list.join(", ")));
    }
    match schema.get("const") {
        Some(only) if !same(only) => Err(format!("{} must be {only}", named(path))),
        _ => Ok(()),
    }
}

fn range(schema: &Map<String, Value>, number: &Number, path: &str) -> Checked {
    let Some(value) = number.as_f64() else { return Ok(()) };
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let refuse =
        |words: &str, bound: f64| Err(format!("{} must be {words} {bound}, not {number}", named(path)));
    match (bound("minimum"), bound("maximum"), bound("exclusiveMinimum"), bound("exclusiveMaximum")) {
        (Some(least), ..) if value < least => refuse("at least", least),
        (_, Some(most), ..) if value > most => refuse("at most", most),
        (_, _, Some(least), _) if value <= least => refuse("more than", least),
        (.., Some(most)) if value >= most => refuse("less than", most),
        _ => match bound("multipleOf") {
            Some(step) if step > 0.0 && (value / step).fract() != 0.0 => refuse("a multiple of", step),
            _ => Ok(()),
        },
    }
}

fn size(schema: &Map<String, Value>, keywords: [&str; 2], size: usize, unit: &str, path: &str) -> Checked {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let size = size as u64;
    let mut sentence = String::new();
    let mut refuse = |words: &str, bound: u64| {
        write!(sentence, "{} must have {words} {bound} {unit}, not {size}", named(path))
            .expect("writing to a string cannot fail");
    };
    match (bound(keywords[0]), bound(keywords[1])) {
        (Some(least), _) if size < least => refuse("at least", least),
        (_, Some(most)) if size > most => refuse("at most", most),
        _ => return Ok(()),
    }
    Err(sentence)
}

#[cfg(test)]
mod tests;
