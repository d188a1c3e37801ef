//! What a tool answers: structured content and a short text, or blocks of content.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::budget::Detail;
use crate::schema;
use crate::tool::ToolError;

/// A typed answer: its fields become the structured content, its schema the tool's output schema.
pub trait Output: Serialize + JsonSchema + Send + 'static {
    /// The few words beside the structured content, for readers that show text only.
    fn text(&self, detail: Detail) -> String;
}

/// One block of content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Block {
    /// Text.
    Text {
        /// What it says.
        text: String,
    },
    /// A picture.
    Image {
        /// The file, in base64.
        data: String,
        /// Its media type, such as `image/png`.
        #[serde(rename = "mimeType")]
        mime_type: String,
    },
    /// Sound.
    Audio {
        /// The file, in base64.
        data: String,
        /// Its media type, such as `audio/wav`.
        #[serde(rename = "mimeType")]
        mime_type: String,
    },
    /// A resource of the server, embedded.
    Resource {
        /// Where it is from and what it says.
        resource: Embedded,
    },
}

impl Block {
    /// A block of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// A resource inside an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedded {
    /// Its address.
    pub uri: String,
    /// Its media type.
    #[serde(rename = "mimeType")]
    pub mime_type: String,
    /// What it says.
    pub text: String,
}

/// An answer in blocks, without structured content: for a tool that has no output schema.
pub struct Blocks(pub Vec<Block>);

/// What a tool's function may return.
pub trait IntoReply: Send + 'static {
    /// The schema of the structured content; `None` where there is none.
    fn schema() -> Option<Map<String, Value>>;

    /// Writes the answer down.
    ///
    /// # Errors
    ///
    /// When the value has no form in JSON.
    fn into_reply(self, detail: Detail) -> Result<Reply, ToolError>;
}

impl<T: Output> IntoReply for T {
    fn schema() -> Option<Map<String, Value>> {
        Some(schema::of_output::<T>())
    }

    fn into_reply(self, detail: Detail) -> Result<Reply, ToolError> {
        let structured = serde_json::to_string(&self)
            .map_err(|error| ToolError::failed(format!("the answer cannot be written as JSON: {error}")))?;
        Ok(Reply { structured: Some(structured), content: Content::Text(self.text(detail)), is_error: false })
    }
}

impl IntoReply for Blocks {
    fn schema() -> Option<Map<String, Value>> {
        None
    }

    fn into_reply(self, _detail: Detail) -> Result<Reply, ToolError> {
        Ok(Reply { structured: None, content: Content::Blocks(self.0), is_error: false })
    }
}

/// The part of an answer that is not structured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// An object, as JSON text.
    pub(crate) structured: Option<String>,
    pub(crate) content: Content,
    pub(crate) is_error: bool,
}

impl Reply {
    /// A refusal or a failure in one sentence.
    #[must_use]
    pub fn error(sentence: impl Into<String>) -> Self {
        Self { structured: None, content: Content::Text(sentence.into()), is_error: true }
    }

    /// Whether the tool failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// The structured content as JSON text.
    #[must_use]
    pub fn structured(&self) -> Option<&str> {
        self.structured.as_deref()
    }

    /// The text of the answer; blocks of other kinds are left out.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            Content::Text(text) => text.clone(),
            Content::Blocks(blocks) => {
                let texts = blocks.iter().filter_map(|block| match block {
                    Block::Text { text } => Some(text.as_str()),
                    _ => None,
                });
                texts.collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// How many bytes the answer has, without the envelope.
    #[must_use]
    pub fn len(&self) -> usize {
        let content = match &self.content {
            Content::Text(text) => text.len(),
            Content::Blocks(blocks) => blocks.iter().map(block_len).sum(),
        };
        content + self.structured.as_ref().map_or(0, String::len)
    }

    /// Whether the answer says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The result object of the older protocol, as JSON text.
    pub(crate) fn to_text(&self) -> String {
        let mut out = Vec::with_capacity(self.len() + 96);
        self.write(&mut out, None);
        String::from_utf8(out).expect("JSON is written from strings")
    }

    /// Appends the result object, named as the protocol names its parts. `meta` is the `_meta` object that
    /// answers of the protocol without sessions carry.
    pub(crate) fn write(&self, out: &mut Vec<u8>, meta: Option<&str>) {
        out.extend_from_slice(br#"{"content":["#);
        match &self.content {
            Content::Text(text) => {
                out.extend_from_slice(br#"{"type":"text","text":"#);
                append(out, text);
                out.push(b'}');
            }
            Content::Blocks(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    append(out, block);
                }
            }
        }
        out.push(b']');
        if let Some(structured) = &self.structured {
            out.extend_from_slice(br#","structuredContent":"#);
            out.extend_from_slice(structured.as_bytes());
        }
        out.extend_from_slice(if self.is_error { br#","isError":true"# } else { br#","isError":false"# });
        if let Some(meta) = meta {
            out.extend_from_slice(br#","resultType":"complete","_meta":"#);
            out.extend_from_slice(meta.as_bytes());
        }
        out.push(b'}');
    }
}

/// Appends a string or a block as JSON.
fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("strings and blocks always have a form in JSON");
}

fn block_len(block: &Block) -> usize {
    match block {
        Block::Text { text } => text.len(),
        Block::Image { data, .. } | Block::Audio { data, .. } => data.len(),
        Block::Resource { resource } => resource.uri.len() + resource.text.len(),
    }
}
