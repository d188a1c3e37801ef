//! The state that a client carries from a question to its answer, sealed so that nobody but this process
//! can have made it.
//!
//! The protocol library's codec signs the text of the state (HMAC-SHA256, RFC 2104) and gives it [`LIFETIME`]. Two
//! things are beyond it and held here: a state belongs to one tool with these very arguments, and it is good for one
//! use. The text is signed, not encrypted: clients can read it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::serve::codec::StateCodec;

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
    /// The SHA-256 of the arguments as canonical JSON. The codec could bind a state to them too, but then a state of
    /// another call would look like one that somebody changed, and the client would not learn what to repeat.
    arguments: String,
    pub asked: Map<String, Value>,
    pub known: BTreeMap<String, Value>,
    /// From when on the codec refuses the state, in seconds since 1970, rounded up: until then its use is remembered.
    until: u64,
    /// Two questions of one moment are two seals.
    nonce: String,
}

/// Makes and checks seals with a key that lives as long as the process.
pub(crate) struct Sealer {
    codec: StateCodec,
    lifetime: Duration,
    /// The nonces of the seals that were used, and until when each has to be remembered.
    used: Mutex<HashMap<String, u64>>,
}

impl Sealer {
    /// A sealer with a fresh key. Fails where the system has no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { codec: StateCodec::new(key), lifetime: LIFETIME, used: Mutex::default() })
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
            until: now() + self.lifetime.as_secs() + 1,
            nonce: hex(&nonce),
        };
        let text = serde_json::to_string(&state).expect("strings and JSON values always have a form in JSON");
        Ok(self.codec.seal(text.as_bytes(), self.lifetime))
    }

    /// Opens a state that came back with a call, and marks it as used.
    pub fn open(&self, sealed: &str, tool: &str, arguments: &Value) -> Result<State, SealError> {
        let text = self.codec.open(sealed)?;
        let state: State = serde_json::from_slice(&text).map_err(|_| SealError::Broken)?;
        if state.tool != tool || state.arguments != digest(arguments) {
            return Err(SealError::OtherCall);
        }
        let mut used = self.used.lock();
        if used.contains_key(&state.nonce) {
            return Err(SealError::Used);
        }
        if used.len() >= MOST_USED {
            let now = now();
            used.retain(|_, until| *until >= now);
        }
        if used.len() >= MOST_USED {
            return Err(SealError::Expired);
        }
        used.insert(state.nonce.clone(), state.until);
        Ok(state)
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
        let arguments = json!({"a": 1, "b": 2});
        let usual = sealer();
        assert_eq!(usual.lifetime, Duration::from_secs(120));
        assert!(usual.open(&sealed(&usual), "run", &arguments).is_ok());
        // The same with a lifetime that a test can wait for.
        let short = Sealer { lifetime: Duration::from_millis(1), ..sealer() };
        let seal = sealed(&short);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(short.open(&seal, "run", &arguments).unwrap_err(), SealError::Expired);
    }

    #[test]
    fn a_used_seal_is_remembered_for_as_long_as_it_opens() {
        let sealer = sealer();
        let arguments = json!({"a": 1, "b": 2});
        let seal = sealed(&sealer);
        let before = now();
        let state = sealer.open(&seal, "run", &arguments).unwrap();
        assert!(state.until > before + LIFETIME.as_secs(), "{} {before}", state.until);
        // A table full of seals that have expired makes room, and keeps this one.
        sealer.used.lock().extend((0..MOST_USED).map(|number| (number.to_string(), 0)));
        assert!(sealer.open(&sealed(&sealer), "run", &arguments).is_ok());
        assert_eq!(sealer.used.lock().len(), 2);
        assert_eq!(sealer.open(&seal, "run", &arguments).unwrap_err(), SealError::Used);
        // One full of seals that are still good accepts no other.
        let until = now() + 1000;
        sealer.used.lock().extend((0..MOST_USED).map(|number| (number.to_string(), until)));
        assert_eq!(sealer.open(&sealed(&sealer), "run", &arguments).unwrap_err(), SealError::Expired);
    }
}
