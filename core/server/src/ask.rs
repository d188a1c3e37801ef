//! Questions of a tool to the client: to its user (confirmations, forms), to its model, for its directories.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::context::Capability;
use crate::schema;
use crate::tool::ToolError;

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    needs: Capability,
    params: Value,
    is_sealed: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The user filled the form in; a confirmation has no fields.
    Accepted(Map<String, Value>),
    /// The user said no.
    Declined,
    /// The user closed the question.
    Dismissed,
    /// A result of the client's model or its directories, as the protocol shapes it.
    Result(Value),
}

impl Ask {
    /// A form for the user. `schema` describes an object of plain fields.
    #[must_use]
    pub fn form(message: &str, schema: &Value) -> Self {
        let params = json!({"message": message, "requestedSchema": schema});
        Self { needs: Capability::Elicitation, params, is_sealed: false }
    }

    /// A confirmation by the user of exactly this call. Where the answer comes with a repeated call, it counts
    /// only with the seal of this server, for the same tool and arguments, once, and not for long.
    #[must_use]
    pub fn confirmation(message: &str) -> Self {
        Self::form(message, &json!({"type": "object", "properties": {}})).sealed()
    }

    /// A question to the client's model, with the parameters of `sampling/createMessage`.
    #[must_use]
    pub fn model(params: Value) -> Self {
        Self { needs: Capability::Sampling, params, is_sealed: false }
    }

    /// Which directories the client works in.
    #[must_use]
    pub fn folders() -> Self {
        Self { needs: Capability::Roots, params: json!({}), is_sealed: false }
    }

    /// Takes an answer only together with the seal of the question.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.is_sealed = true;
        self
    }

    /// What the client has to be able to do.
    #[must_use]
    pub fn needs(&self) -> Capability {
        self.needs
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    pub(crate) fn method(&self) -> &'static str {
        match self.needs {
            Capability::Elicitation => "elicitation/create",
            Capability::Sampling => "sampling/createMessage",
            Capability::Roots => "roots/list",
        }
    }

    pub(crate) fn params(&self) -> &Value {
        &self.params
    }

    /// The question as it stands in an answer of the newer protocol.
    pub(crate) fn to_request(&self) -> Value {
        json!({"method": self.method(), "params": self.params})
    }

    /// Reads the client's answer; `None` when it has not the form that was asked for.
    pub(crate) fn read(&self, answer: Value) -> Option<Answer> {
        let object = answer.as_object()?;
        match self.needs {
            Capability::Elicitation => match object.get("action")?.as_str()? {
                "accept" => {
                    let content = object.get("content").cloned().unwrap_or_else(|| json!({}));
                    let asked = self.params.get("requestedSchema")?.as_object()?;
                    if schema::problem(asked, &content).is_some() {
                        return None;
                    }
                    Some(Answer::Accepted(content.as_object()?.clone()))
                }
                "decline" => Some(Answer::Declined),
                "cancel" => Some(Answer::Dismissed),
                _ => None,
            },
            Capability::Sampling => object.contains_key("content").then_some(Answer::Result(answer)),
            Capability::Roots => object.get("roots")?.is_array().then_some(Answer::Result(answer)),
        }
    }
}

/// The answers that came with a call, and those of earlier rounds that its state holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// Answers under a seal that was verified.
    pub(crate) sealed: BTreeMap<String, Value>,
    /// Answers as they were sent.
    pub(crate) sent: BTreeMap<String, Value>,
    /// The questions of the last round, when its seal was verified: what was sent for them counts as sealed.
    pub(crate) asked: BTreeMap<String, Value>,
}

/// Questions that have no answer yet, on their way to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// The requests by key, as the protocol shapes them.
    pub requests: Map<String, Value>,
    /// What a later round needs again.
    pub(crate) known: BTreeMap<String, Value>,
    /// Whether the next round has to carry the seal.
    pub(crate) is_sealed: bool,
}

impl Inputs {
    /// The answers to all questions, or the open ones as an error.
    pub(crate) fn take(&self, asks: Vec<(String, Ask)>) -> Result<Vec<Answer>, ToolError> {
        let mut answers = Vec::with_capacity(asks.len());
        let mut open = Map::new();
        let mut is_sealed = !self.sealed.is_empty() || !self.asked.is_empty();
        for (key, ask) in asks {
            match self.find(&key, &ask).and_then(|answer| ask.read(answer.clone())) {
                Some(answer) => answers.push(answer),
                None => {
                    is_sealed |= ask.is_sealed();
                    open.insert(key, ask.to_request());
                }
            }
        }
        if open.is_empty() {
            return Ok(answers);
        }
        Err(ToolError::open(Open { requests: open, known: self.known(), is_sealed }))
    }

    fn find(&self, key: &str, ask: &Ask) -> Option<&Value> {
        let is_the_question = || self.asked.get(key) == Some(&ask.to_request());
        self.sealed.get(key).or_else(|| self.sent.get(key).filter(|_| !ask.is_sealed() || is_the_question()))
    }

    /// The answers that a later round may rely on.
    fn known(&self) -> BTreeMap<String, Value> {
        let mut known = self.sealed.clone();
        let sent = self.sent.iter().filter(|(key, _)| self.asked.contains_key(*key));
        known.extend(sent.map(|(key, answer)| (key.clone(), answer.clone())));
        known
    }
}
