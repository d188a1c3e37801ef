//! The reader itself: a `Deserializer` of serde over a text.

use std::borrow::Cow;

use memchr::memchr2;
use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::json::Unusual;
use crate::json::float::{MOST_PLACES, fraction};

/// As deep as `serde_json` reads.
const DEEPEST: usize = 127;

/// The most digits that always fit into 64 bits.
const MOST_DIGITS: usize = 19;

/// Reads one value from the beginning of a text.
pub(crate) struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: usize,
}

type Read<T> = Result<T, Unusual>;

impl<'de> Reader<'de> {
    /// A reader at the beginning of `text`.
    pub fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// How many bytes were read.
    pub fn consumed(&self) -> usize {
        self.at
    }

    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is not a space.
    fn peek(&mut self) -> Read<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Unusual),
            }
        }
    }

    fn word(&mut self, word: &str) -> Read<()> {
        if !self.bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Unusual);
        }
        self.at += word.len();
        Ok(())
    }

    fn string(&mut self) -> Read<Cow<'de, str>> {
        if self.peek()? != b'"' {
            return Err(Unusual);
        }
        self.at += 1;
        let rest = &self.bytes()[self.at..];
        let end = memchr2(b'"', b'\\', rest).ok_or(Unusual)?;
        if has_control(&rest[..end]) {
            return Err(Unusual);
        }
        let plain = self.text.get(self.at..self.at + end).ok_or(Unusual)?;
        self.at += end + 1;
        if rest[end] == b'"' {
            Ok(Cow::Borrowed(plain))
        } else {
            self.escaped(plain.to_owned()).map(Cow::Owned)
        }
    }

    /// The rest of a string, behind its first backslash.
    fn escaped(&mut self, mut string: String) -> Read<String> {
        loop {
            string.push(self.escape()?);
            let rest = &self.bytes()[self.at..];
            let end = memchr2(b'"', b'\\', rest).ok_or(Unusual)?;
            if has_control(&rest[..end]) {
                return Err(Unusual);
            }
            string.push_str(self.text.get(self.at..self.at + end).ok_or(Unusual)?);
            self.at += end + 1;
            if rest[end] == b'"' {
                return Ok(string);
            }
        }
    }

    /// The character that an escape stands for, behind its backslash.
    fn escape(&mut self) -> Read<char> {
        let kind = *self.bytes().get(self.at).ok_or(Unusual)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            // Characters beyond the basic plane are pairs: for the twin.
            b'u' => char::from_u32(self.code()?).ok_or(Unusual)?,
            _ => return Err(Unusual),
        })
    }

    fn code(&mut self) -> Read<u32> {
        let digits = self.bytes().get(self.at..self.at + 4).ok_or(Unusual)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Unusual)?;
            Ok(code << 4 | digit)
        })
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Read<V::Value> {
        let start = self.at;
        let is_negative = self.bytes()[self.at] == b'-';
        self.at += usize::from(is_negative);
        let (whole, mut count) = self.digits(0)?;
        // Neither `01` nor `-` nor `.5`.
        if count == 0 || (count > 1 && self.bytes()[self.at - count] == b'0') {
            return Err(Unusual);
        }
        let mut value = whole;
        let mut places = 0;
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            (value, places) = self.digits(whole)?;
            if places == 0 {
                return Err(Unusual);
            }
            count += places;
        } else if !matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            return if count > MOST_DIGITS { Err(Unusual) } else { integer(whole, is_negative, visitor) };
        }
        if matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            self.exponent()?;
        } else if count <= MOST_DIGITS && places <= MOST_PLACES {
            let float = fraction(value, places);
            return visitor.visit_f64(if is_negative { -float } else { float });
        }
        // The grammar was checked, and Rust's own reader rounds exactly.
        let float: f64 = self.text[start..self.at].parse().map_err(|_| Unusual)?;
        if float.is_finite() { visitor.visit_f64(float) } else { Err(Unusual) }
    }

    fn exponent(&mut self) -> Read<()> {
        self.at += 1;
        if matches!(self.bytes().get(self.at), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let (_, count) = self.digits(0)?;
        if count == 0 { Err(Unusual) } else { Ok(()) }
    }

    /// Digits behind those that `value` has already; what is beyond 64 bits is lost, which the count tells.
    fn digits(&mut self, mut value: u64) -> Read<(u64, usize)> {
        let start = self.at;
        let bytes = self.bytes();
        while let Some(eight) = bytes.get(self.at..self.at + 8).and_then(eight_digits) {
            value = value.wrapping_mul(100_000_000).wrapping_add(eight);
            self.at += 8;
        }
        while let Some(digit @ b'0'..=b'9') = bytes.get(self.at) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        Ok((value, self.at - start))
    }

    fn deeper(&mut self) -> Read<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST { Err(Unusual) } else { Ok(()) }
    }

    fn seq<V: Visitor<'de>>(&mut self, visitor: V) -> Read<V::Value> {
        self.deeper()?;
        let value = visitor.visit_seq(Members { reader: self, is_first: true, end: b']' })?;
        self.leave(b']')?;
        Ok(value)
    }

    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Read<V::Value> {
        self.deeper()?;
        let value = visitor.visit_map(Members { reader: self, is_first: true, end: b'}' })?;
        self.leave(b'}')?;
        Ok(value)
    }

    fn leave(&mut self, end: u8) -> Read<()> {
        // A visitor that did not read all of it has an opinion that the twin shall hear.
        if self.peek()? != end {
            return Err(Unusual);
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }
}

fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |has, byte| has | (*byte < b' '))
}

fn integer<'de, V: Visitor<'de>>(value: u64, is_negative: bool, visitor: V) -> Read<V::Value> {
    if !is_negative {
        return visitor.visit_u64(value);
    }
    // `-0` is a float.
    let value = 0i64.checked_sub_unsigned(value).filter(|value| *value != 0).ok_or(Unusual)?;
    visitor.visit_i64(value)
}

/// The number that eight ASCII digits are, most significant first, by three multiplications: pairs, fours, all.
fn eight_digits(bytes: &[u8]) -> Option<u64> {
    let chunk = u64::from_le_bytes(bytes.try_into().ok()?);
    let low = chunk.wrapping_sub(0x3030_3030_3030_3030);
    // A byte below `0` borrows, and one above `9` carries: either sets its highest bit.
    if (low | chunk.wrapping_add(0x4646_4646_4646_4646)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = low.wrapping_mul(10).wrapping_add(low >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff)
}

/// The members of an array or an object.
struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
    end: u8,
}

impl Members<'_, '_> {
    /// Whether another one follows.
    fn next(&mut self) -> Read<bool> {
        let byte = self.reader.peek()?;
        if byte == self.end {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_first, false) {
            if byte != b',' {
                return Err(Unusual);
            }
            self.reader.at += 1;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = Unusual;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if self.next()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.next()? {
            return Ok(None);
        }
        match self.reader.string()? {
            Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            Cow::Owned(name) => {
                seed.deserialize(IntoDeserializer::<Unusual>::into_deserializer(name)).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        if self.reader.peek()? != b':' {
            return Err(Unusual);
        }
        self.reader.at += 1;
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.peek()? {
            b'"' => match self.string()? {
                Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
                Cow::Owned(string) => visitor.visit_string(string),
            },
            b'-' | b'0'..=b'9' => self.number(visitor),
            b'{' => self.map(visitor),
            b'[' => self.seq(visitor),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => Err(Unusual),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.peek()? == b'n' {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Read<V::Value> {
        // `RawValue`, and whatever else only `serde_json` itself knows.
        if name.starts_with('$') { Err(Unusual) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        if name.starts_with('$') || self.peek()? != b'{' {
            return Err(Unusual);
        }
        self.map(visitor)
    }

    /// Choices without fields; others are for the twin.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match self.string()? {
            Cow::Borrowed(name) => visitor.visit_enum(BorrowedStrDeserializer::<Unusual>::new(name)),
            Cow::Owned(name) => visitor.visit_enum::<StringDeserializer<Unusual>>(name.into_deserializer()),
        }
    }

    /// Single precision is rounded once, which the twin does.
    fn deserialize_f32<V: Visitor<'de>>(self, _visitor: V) -> Read<V::Value> {
        Err(Unusual)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, _visitor: V) -> Read<V::Value> {
        Err(Unusual)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, _visitor: V) -> Read<V::Value> {
        Err(Unusual)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _visitor: V) -> Read<V::Value> {
        Err(Unusual)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _visitor: V) -> Read<V::Value> {
        Err(Unusual)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f64 char str string unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}
