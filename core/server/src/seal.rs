//! The state that a client carries from a question to its answer, sealed so that nobody but this process
//! can have made it.
//!
//! A seal is an HMAC-SHA256 (RFC 2104) over the exact text of the state: which tool, which arguments, which
//! questions, which answers so far, until when. It is good for [`LIFETIME`] and for one use. The text is
//! signed, not encrypted: clients can read it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How long a question stays open.
pub const LIFETIME: Duration = Duration::from_secs(120);

/// The most seals that are remembered as used; until some of them expire, no further one is accepted.
pub const MOST_USED: usize = 16_384;

/// Why a state is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text was changed, or made by somebody else.
    #[error("the requestState was not made by this server, or was changed: repeat the call without it")]
    Broken,
    /// The answer came too late.
    #[error("the requestState has expired: repeat the call without it")]
    Expired,
    /// It was used before.
    #[error("the requestState was used before: repeat the call without it")]
    Used,
    /// It belongs to another call.
    #[error("the requestState belongs to another call: repeat the call with the same tool and arguments")]
    OtherCall,
}

/// What a state says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    tool: String,
    /// The SHA-256 of the arguments as canonical JSON.
    arguments: String,
    pub asked: Map<String, Value>,
    pub known: BTreeMap<String, Value>,
    /// Seconds since 1970.
    expires: u64,
    nonce: String,
}

/// Makes and checks seals with a key that lives as long as the process.
pub(crate) struct Sealer {
    key: [u8; 32],
    used: Mutex<HashMap<String, u64>>,
}

impl Sealer {
    /// A sealer with a fresh key. Fails where the system has no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, used: Mutex::default() })
    }

    /// The sealed state of a question.
    pub fn seal(
        &self,
        tool: &str,
        arguments: &Value,
        asked: Map<String, Value>,
        known: BTreeMap<String, Value>,
    ) -> Result<String, getrandom::Error> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)?;
        let state = State {
            tool: tool.to_owned(),
            arguments: digest(arguments),
            asked,
            known,
            expires: now() + LIFETIME.as_secs(),
            nonce: hex(&nonce),
        };
        let text = serde_json::to_string(&state).expect("strings and JSON values always have a form in JSON");
        Ok(format!("{}.{}", hex(text.as_bytes()), hex(&self.tag(text.as_bytes()).finalize().into_bytes())))
    }

    /// Opens a state that came back with a call, and marks it as used.
    pub fn open(&self, sealed: &str, tool: &str, arguments: &Value) -> Result<State, SealError> {
        self.open_at(sealed, tool, arguments, now())
    }

    fn open_at(&self, sealed: &str, tool: &str, arguments: &Value, now: u64) -> Result<State, SealError> {
        let (text, tag) = sealed.split_once('.').ok_or(SealError::Broken)?;
        let text = unhex(text).ok_or(SealError::Broken)?;
        let tag = unhex(tag).ok_or(SealError::Broken)?;
        // The comparison takes the same time wherever the tags differ.
        self.tag(&text).verify_slice(&tag).map_err(|_| SealError::Broken)?;
        let state: State = serde_json::from_slice(&text).map_err(|_| SealError::Broken)?;
        if state.tool != tool || state.arguments != digest(arguments) {
            return Err(SealError::OtherCall);
        }
        if state.expires < now {
            return Err(SealError::Expired);
        }
        let mut used = self.used.lock();
        if used.contains_key(&state.nonce) {
            return Err(SealError::Used);
        }
        if used.len() >= MOST_USED {
            used.retain(|_, expires| *expires >= now);
        }
        if used.len() >= MOST_USED {
            return Err(SealError::Expired);
        }
        used.insert(state.nonce.clone(), state.expires);
        Ok(state)
    }

    fn tag(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut tag = Hmac::<Sha256>::new_from_slice(&self.key).expect("an HMAC takes keys of any length");
        tag.update(text);
        tag
    }
}

/// The SHA-256 of a value; objects have their members in alphabetical order.
pub(crate) fn digest(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    // One spelling of each seal: a capital digit would be another text with the same meaning.
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sealer() -> Sealer {
        Sealer::new().unwrap()
    }

    fn sealed(sealer: &Sealer) -> String {
        let asked = Map::from_iter([("sure".to_owned(), json!({"method": "elicitation/create"}))]);
        sealer.seal("run", &json!({"a": 1, "b": 2}), asked, BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_seal_opens_once() {
        let sealer = sealer();
        let seal = sealed(&sealer);
        let state = sealer.open(&seal, "run", &json!({"b": 2, "a": 1})).unwrap();
        assert!(state.asked.contains_key("sure"));
        assert_eq!(sealer.open(&seal, "run", &json!({"a": 1, "b": 2})).unwrap_err(), SealError::Used);
    }

    #[test]
    fn every_change_breaks_it() {
        let sealer = sealer();
        let seal = sealed(&sealer);
        for at in 0..seal.len() {
            let mut changed = seal.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                sealer.open(&changed, "run", &json!({"a": 1, "b": 2})).unwrap_err(),
                SealError::Broken
            );
        }
        for changed in
            [format!("{seal}-"), format!("{seal}00"), seal.to_uppercase(), String::new(), ".".into()]
        {
            assert_eq!(sealer.open(&changed, "run", &json!({})).unwrap_err(), SealError::Broken, "{changed}");
        }
    }

    #[test]
    fn it_belongs_to_one_call_of_one_process() {
        let sealer = sealer();
        let seal = sealed(&sealer);
        assert_eq!(sealer.open(&seal, "run", &json!({"a": 1})).unwrap_err(), SealError::OtherCall);
        assert_eq!(sealer.open(&seal, "ran", &json!({"a": 1, "b": 2})).unwrap_err(), SealError::OtherCall);
        let other = Sealer::new().unwrap();
        assert_eq!(other.open(&seal, "run", &json!({"a": 1, "b": 2})).unwrap_err(), SealError::Broken);
    }

    #[test]
    fn it_expires_after_two_minutes() {
        let sealer = sealer();
        let seal = sealed(&sealer);
        let arguments = json!({"a": 1, "b": 2});
        let late = sealer.open_at(&seal, "run", &arguments, now() + LIFETIME.as_secs() + 1);
        assert_eq!(late.unwrap_err(), SealError::Expired);
        assert!(sealer.open_at(&seal, "run", &arguments, now() + LIFETIME.as_secs() - 1).is_ok());
    }
}
