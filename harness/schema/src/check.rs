//! A walk through a schema and a value, side by side.

use serde_json::{Map, Number, Value};

use crate::words::{kinds, shown, unknown};
use crate::{Matcher, REFERENCES};

/// How far a quotient may be from a whole number to be one, relative to its size: decimal fractions such as 0.1 have
/// no exact form, so 0.3 is not three times 0.1 to the last bit.
const WHOLE: f64 = 1e-9;

pub(crate) type Checked = Result<(), String>;

type Object = Map<String, Value>;

pub(crate) struct Checker<'a> {
    pub root: &'a Object,
    pub takes_null: bool,
    pub matcher: Option<Matcher>,
}

/// Where in the value the walk is.
pub(crate) struct Place<'a> {
    whole: &'a str,
    pub members: &'a str,
    path: String,
    /// How many schemas were entered for this very value.
    entered: usize,
}

impl<'a> Place<'a> {
    pub fn new(whole: &'a str, members: &'a str) -> Self {
        Self { whole, members, path: String::new(), entered: 0 }
    }

    /// The place in a sentence.
    pub fn named(&self) -> String {
        match self.path.strip_prefix('.').unwrap_or(&self.path) {
            "" => self.whole.into(),
            path => format!("`{path}`"),
        }
    }

    pub fn within_member<T>(&mut self, name: &str, check: impl FnOnce(&mut Self) -> T) -> T {
        self.within(&format!(".{name}"), check)
    }

    fn within<T>(&mut self, step: &str, check: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        let entered = std::mem::take(&mut self.entered);
        self.path.push_str(step);
        let result = check(self);
        self.path.truncate(length);
        self.entered = entered;
        result
    }
}

impl Checker<'_> {
    fn any(&self, schema: &Value, value: &Value, at: &mut Place<'_>) -> Checked {
        match schema {
            Value::Object(object) => self.object(object, value, at),
            Value::Bool(false) => Err(format!("{} is not allowed", at.named())),
            _ => Ok(()),
        }
    }

    pub fn object(&self, schema: &Object, value: &Value, at: &mut Place<'_>) -> Checked {
        if at.entered > REFERENCES {
            // A schema that refers to itself says nothing more.
            return Ok(());
        }
        at.entered += 1;
        let checked = self.keywords(schema, value, at);
        at.entered -= 1;
        checked
    }

    fn keywords(&self, schema: &Object, value: &Value, at: &mut Place<'_>) -> Checked {
        match schema.get("$ref").and_then(Value::as_str) {
            Some("#") => self.object(self.root, value, at)?,
            Some(address) => {
                self.find(address).map_or(Ok(()), |target| self.any(target, value, at))?;
            }
            None => {}
        }
        kind(schema, value, at)?;
        choice(schema, value, at)?;
        match value {
            Value::Number(number) => range(schema, number, at)?,
            Value::String(text) => self.text(schema, text, at)?,
            Value::Array(items) => self.items(schema, items, at)?,
            Value::Object(members) => self.members(schema, members, at)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.composed(schema, value, at)
    }

    fn find(&self, address: &str) -> Option<&Value> {
        let mut steps =
            address.strip_prefix("#/")?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        let mut at = self.root.get(&steps.next()?)?;
        for step in steps {
            at = match at {
                Value::Array(all) => all.get(step.parse::<usize>().ok()?)?,
                _ => at.get(&step)?,
            };
        }
        Some(at)
    }

    fn text(&self, schema: &Object, text: &str, at: &Place<'_>) -> Checked {
        size(schema, ["minLength", "maxLength"], text.chars().count(), "characters", at)?;
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else { return Ok(()) };
        match self.matches(pattern, text) {
            Some(false) => Err(format!("{} must match {pattern}", at.named())),
            _ => Ok(()),
        }
    }

    fn matches(&self, pattern: &str, text: &str) -> Option<bool> {
        self.matcher.and_then(|matcher| matcher(pattern, text))
    }

    fn items(&self, schema: &Object, items: &[Value], at: &mut Place<'_>) -> Checked {
        size(schema, ["minItems", "maxItems"], items.len(), "items", at)?;
        if schema.get("uniqueItems") == Some(&Value::Bool(true))
            && items
                .iter()
                .enumerate()
                .any(|(index, item)| items[..index].iter().any(|other| same(other, item)))
        {
            return Err(format!("{} must not hold an item twice", at.named()));
        }
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or_else(|| schema.get("items")) {
                at.within(&format!("[{index}]"), |at| self.any(schema, item, at))?;
            }
        }
        let Some(wanted) = schema.get("contains") else { return Ok(()) };
        let count = items.iter().filter(|item| self.any(wanted, item, at).is_ok()).count();
        let bound = |keyword: &str| schema.get(keyword).and_then(count_of);
        let (least, most) = (bound("minContains").unwrap_or(1), bound("maxContains"));
        if (count as u64) < least {
            return Err(format!(
                "{} must hold at least {least} items of the wanted form, not {count}",
                at.named()
            ));
        }
        if let Some(most) = most.filter(|most| count as u64 > *most) {
            return Err(format!(
                "{} must hold at most {most} items of the wanted form, not {count}",
                at.named()
            ));
        }
        Ok(())
    }

    fn members(&self, schema: &Object, members: &Object, at: &mut Place<'_>) -> Checked {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                return Err(at.within_member(name, |at| format!("{} is required", at.named())));
            }
        }
        size(schema, ["minProperties", "maxProperties"], members.len(), "members", at)?;
        for (name, value) in members {
            let known = properties.and_then(|properties| properties.get(name));
            let may_be_missing = || !required.iter().any(|other| other == name);
            if self.takes_null && known.is_some() && value.is_null() && may_be_missing() {
                continue;
            }
            if let Some(known) = known {
                at.within_member(name, |at| self.any(known, value, at))?;
            }
            let has_pattern = self.patterned(schema, name, value, at)?;
            match schema.get("additionalProperties").filter(|_| known.is_none() && !has_pattern) {
                Some(Value::Bool(false)) => return Err(unknown(name, properties, at)),
                Some(more) => at.within_member(name, |at| self.any(more, value, at))?,
                None => {}
            }
        }
        self.dependencies(schema, members, at)
    }

    /// Checks a member by what the schema says of names like its own; whether it says anything, as far as is known.
    fn patterned(
        &self,
        schema: &Object,
        name: &str,
        value: &Value,
        at: &mut Place<'_>,
    ) -> Result<bool, String> {
        if let Some(names) = schema.get("propertyNames") {
            let name = Value::from(name);
            let is_excluded = self.any(names, &name, &mut Place::new("it", at.members)).is_err();
            if is_excluded {
                return Err(format!("{} must not have a member named {name}", at.named()));
            }
        }
        let mut has_pattern = false;
        for (pattern, part) in
            schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten()
        {
            match self.matches(pattern, name) {
                Some(true) => {
                    at.within_member(name, |at| self.any(part, value, at))?;
                    has_pattern = true;
                }
                Some(false) => {}
                None => has_pattern = true,
            }
        }
        Ok(has_pattern)
    }

    fn dependencies(&self, schema: &Object, members: &Object, at: &mut Place<'_>) -> Checked {
        let all = |keyword: &str| schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        for (name, needs) in all("dependentRequired").filter(|(name, _)| members.contains_key(*name)) {
            for need in needs.as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(need) {
                    let missing = at.within_member(need, |at| at.named());
                    return Err(format!("{missing} is required beside `{name}`"));
                }
            }
        }
        for (_, part) in all("dependentSchemas").filter(|(name, _)| members.contains_key(*name)) {
            self.any(part, &Value::Object(members.clone()), at)?;
        }
        Ok(())
    }

    fn composed(&self, schema: &Object, value: &Value, at: &mut Place<'_>) -> Checked {
        let all = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
        for part in all("allOf").into_iter().flatten() {
            self.any(part, value, at)?;
        }
        if let Some(parts) = all("anyOf") {
            self.some(parts, value, at)?;
        }
        if let Some(parts) = all("oneOf") {
            self.some(parts, value, at)?;
            if parts.iter().filter(|part| self.any(part, value, at).is_ok()).count() > 1 {
                return Err(format!("{} fits more than one of its forms", at.named()));
            }
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.any(condition, value, at).is_ok() { "then" } else { "else" };
            if let Some(part) = schema.get(branch) {
                self.any(part, value, at)?;
            }
        }
        if schema.get("not").is_some_and(|part| self.any(part, value, at).is_ok()) {
            return Err(format!("{} has a form that is excluded", at.named()));
        }
        Ok(())
    }

    /// Passes when one of the parts does. The first refusal is the one that is reported: schemars writes the form
    /// that is meant before `null`.
    fn some(&self, parts: &[Value], value: &Value, at: &mut Place<'_>) -> Checked {
        let mut refusal = Ok(());
        for part in parts {
            match self.any(part, value, at) {
                Ok(()) => return Ok(()),
                Err(reason) => refusal = refusal.and(Err(reason)),
            }
        }
        refusal
    }
}

fn kind(schema: &Object, value: &Value, at: &Place<'_>) -> Checked {
    let allowed: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if allowed.is_empty() || allowed.iter().any(|kind| is_of_kind(value, kind)) {
        return Ok(());
    }
    Err(format!("{} must be {}, not {}", at.named(), kinds(&allowed), shown(value)))
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

/// Whether two values are one for JSON Schema, which does not tell `1` from `1.0`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

fn choice(schema: &Object, value: &Value, at: &Place<'_>) -> Checked {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.iter().any(|allowed| same(allowed, value))
    {
        let list: Vec<_> = allowed.iter().map(Value::to_string).collect();
        return Err(format!("{} must be one of {}", at.named(), list.join(", ")));
    }
    match schema.get("const") {
        Some(only) if !same(only, value) => Err(format!("{} must be {only}", at.named())),
        _ => Ok(()),
    }
}

fn range(schema: &Object, number: &Number, at: &Place<'_>) -> Checked {
    let Some(value) = number.as_f64() else { return Ok(()) };
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let refuse =
        |words: &str, bound: f64| Err(format!("{} must be {words} {bound}, not {number}", at.named()));
    match (bound("minimum"), bound("maximum"), bound("exclusiveMinimum"), bound("exclusiveMaximum")) {
        (Some(least), ..) if value < least => refuse("at least", least),
        (_, Some(most), ..) if value > most => refuse("at most", most),
        (_, _, Some(least), _) if value <= least => refuse("more than", least),
        (.., Some(most)) if value >= most => refuse("less than", most),
        _ => match bound("multipleOf") {
            Some(step) if step > 0.0 && !is_whole(value / step) => refuse("a multiple of", step),
            _ => Ok(()),
        },
    }
}

fn is_whole(quotient: f64) -> bool {
    (quotient - quotient.round()).abs() <= WHOLE * quotient.abs().max(1.0)
}

/// A count, which may be written as `2.0`.
fn count_of(value: &Value) -> Option<u64> {
    let whole = |number: &f64| *number >= 0.0 && number.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and not negative"
    )]
    value.as_u64().or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

fn size(schema: &Object, keywords: [&str; 2], size: usize, unit: &str, at: &Place<'_>) -> Checked {
    let bound = |keyword: &str| schema.get(keyword).and_then(count_of);
    let size = size as u64;
    let refuse =
        |words: &str, bound: u64| Err(format!("{} must have {words} {bound} {unit}, not {size}", at.named()));
    match (bound(keywords[0]), bound(keywords[1])) {
        (Some(least), _) if size < least => refuse("at least", least),
        (_, Some(most)) if size > most => refuse("at most", most),
        _ => Ok(()),
    }
}
