//! How much an answer may say. Every tool takes the two arguments [`DETAIL`] and [`MAX_TOKENS`] beside its
//! own; they are read here, so that no parameter struct repeats them.

use std::fmt;

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Map, Value, json};

/// The argument that chooses between a short and a full answer.
pub const DETAIL: &str = "detail";

/// The argument that bounds an answer.
pub const MAX_TOKENS: &str = "max_tokens";

/// The bound where the caller gives none, in tokens. Clients cut or refuse longer answers.
pub const DEFAULT_MAX_TOKENS: u32 = 25_000;

/// Bytes of JSON that count as one token. An estimate, on the safe side for English text and code: real
/// tokenizers differ, and none is asked for each answer.
pub const BYTES_PER_TOKEN: usize = 4;

/// How much a caller wants to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// What is needed to go on.
    #[default]
    Concise,
    /// Everything that is known.
    Detailed,
}

/// The caller's bounds on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How much to say.
    pub detail: Detail,
    /// How long the answer may be, in tokens of [`BYTES_PER_TOKEN`] bytes.
    pub max_tokens: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { detail: Detail::Concise, max_tokens: DEFAULT_MAX_TOKENS }
    }
}

impl Budget {
    /// The bound in bytes of JSON.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        (self.max_tokens as usize).saturating_mul(BYTES_PER_TOKEN)
    }

    /// Adds the two arguments to the properties of a tool's input schema.
    pub(crate) fn describe(properties: &mut Map<String, Value>) {
        properties.insert(DETAIL.into(), json!({"type": "string", "enum": ["concise", "detailed"]}));
        properties.insert(MAX_TOKENS.into(), json!({"type": "integer", "minimum": 1}));
    }
}

/// A tool's parameters and the budget that came among them.
#[derive(Debug)]
pub(crate) struct Budgeted<P> {
    pub params: P,
    pub budget: Budget,
}

impl<'de, P: Deserialize<'de>> Deserialize<'de> for Budgeted<P> {
    fn deserialize<D: Deserializer<'de>>(inner: D) -> Result<Self, D::Error> {
        let mut budget = Budget::default();
        let params = P::deserialize(Splitter { inner, budget: &mut budget })?;
        Ok(Self { params, budget })
    }
}

/// Hands an object to the parameters' own visitor, without the members that belong to the budget.
struct Splitter<'a, T> {
    inner: T,
    budget: &'a mut Budget,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Splitter<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // Not `deserialize_struct`, which would take an array for the fields in their order.
        self.inner.deserialize_map(Splitter { inner: visitor, budget: self.budget })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Splitter<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Splitter { inner: map, budget: self.budget })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Splitter<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(key) = self.inner.next_key::<Key<'de>>()? else { return Ok(None) };
            match key.as_str() {
                // Clients in a strict mode send every member: `null` is one that was left out.
                DETAIL => self.budget.detail = self.inner.next_value::<Option<_>>()?.unwrap_or_default(),
                MAX_TOKENS => {
                    let tokens = self.inner.next_value::<Option<Tokens>>()?;
                    self.budget.max_tokens = tokens.map_or(DEFAULT_MAX_TOKENS, |tokens| tokens.0);
                }
                _ => return key.feed(seed).map(Some),
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

/// A bound of at least one token; one that is larger than any answer stands for no bound.
struct Tokens(u32);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Count;
        impl Visitor<'_> for Count {
            type Value = Tokens;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of tokens, at least 1")
            }

            fn visit_u64<E: Error>(self, tokens: u64) -> Result<Tokens, E> {
                match u32::try_from(tokens).unwrap_or(u32::MAX) {
                    0 => Err(E::custom("max_tokens must be at least 1")),
                    tokens => Ok(Tokens(tokens)),
                }
            }

            // Whole numbers beyond 2^64 are read as floats.
            fn visit_f64<E: Error>(self, tokens: f64) -> Result<Tokens, E> {
                let is_beyond = tokens.fract() == 0.0 && tokens > f64::from(u32::MAX);
                if is_beyond { Ok(Tokens(u32::MAX)) } else { Err(E::custom("max_tokens is not whole")) }
            }
        }
        deserializer.deserialize_u64(Count)
    }
}

/// The name of a member, borrowed from the text where it has no escapes.
enum Key<'de> {
    Borrowed(&'de str),
    Owned(String),
}

impl<'de> Key<'de> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(key) => key,
            Self::Owned(key) => key,
        }
    }

    fn feed<K: DeserializeSeed<'de>, E: Error>(self, seed: K) -> Result<K::Value, E> {
        match self {
            Self::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
            Self::Owned(key) => seed.deserialize(key.into_deserializer()),
        }
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'de> Visitor<'de> for Name {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of an argument")
            }

            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key::Borrowed(key))
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key::Owned(key.to_owned()))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        text: String,
        #[serde(default)]
        count: u32,
    }

    fn read(text: &str) -> Result<(Params, Budget), String> {
        let decoded: Budgeted<Params> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok((decoded.params, decoded.budget))
    }

    #[test]
    fn the_two_arguments_are_taken_out_wherever_they_stand() {
        let (params, budget) =
            read(r#"{"max_tokens":7,"text":"a","\u0064etail":"detailed","count":2}"#).unwrap();
        assert_eq!(params, Params { text: "a".into(), count: 2 });
        assert_eq!(budget, Budget { detail: Detail::Detailed, max_tokens: 7 });
        assert_eq!(budget.max_bytes(), 28);
    }

    #[test]
    fn without_them_the_budget_is_the_default() {
        assert_eq!(read(r#"{"text":"a"}"#).unwrap().1, Budget::default());
    }

    #[test]
    fn null_is_a_budget_that_was_left_out() {
        assert_eq!(read(r#"{"detail":null,"text":"a","max_tokens":null}"#).unwrap().1, Budget::default());
    }

    #[test]
    fn a_bound_beyond_all_answers_is_none() {
        for large in ["4294967296", "18446744073709551615", "1e30", "123456789012345678901234567890"] {
            let budget = read(&format!(r#"{{"text":"a","max_tokens":{large}}}"#)).unwrap().1;
            assert_eq!(budget.max_tokens, u32::MAX, "{large}");
        }
    }

    #[test]
    fn what_does_not_belong_is_refused() {
        for (text, reason) in [
            (r#"{"text":"a","depth":1}"#, "unknown field `depth`"),
            (r#"{"count":1}"#, "missing field `text`"),
            (r#"{"text":"a","max_tokens":0}"#, "at least 1"),
            (r#"{"text":"a","max_tokens":-1}"#, "at least 1"),
            (r#"{"text":"a","max_tokens":1.5}"#, "not whole"),
            (r#"{"text":"a","max_tokens":"9"}"#, "a number of tokens"),
            (r#"{"text":"a","detail":"all"}"#, "unknown variant `all`"),
            (r#"["a", 1]"#, "an object"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_and_a_text_are_read_alike() {
        let value = json!({"text": "a", "max_tokens": 9});
        let decoded = Budgeted::<Params>::deserialize(value).unwrap();
        assert_eq!((decoded.params.text.as_str(), decoded.budget.max_tokens), ("a", 9));
    }
}
