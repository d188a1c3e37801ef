//! The protocol library's codec for the state that a client carries from a question to its answer.

use std::time::Duration;

use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};

use crate::seal::SealError;

/// Signs texts, and knows its own again.
pub(crate) struct StateCodec(RequestStateCodec);

impl StateCodec {
    /// A codec with this key.
    pub fn new(key: [u8; RequestStateCodec::MIN_KEY_LENGTH]) -> Self {
        Self(RequestStateCodec::try_new(key).expect("the key has the length that the codec asks for"))
    }

    /// The text with its signature, good for some time.
    pub fn seal(&self, text: &[u8], lifetime: Duration) -> String {
        self.0.seal_with(text, &SealOptions::new().ttl(lifetime))
    }

    /// The text, when this codec signed it and its time is not up.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, SealError> {
        // The signature is looked at first: only who has a genuine seal learns that it has expired.
        self.0.open(sealed).map_err(|error| match error {
            RequestStateError::Expired => SealError::Expired,
            _ => SealError::Broken,
        })
    }
}
