//! What MCP servers share: typed tools, the layers around each call, questions to the client, and the faces that
//! serve them: stdin and stdout, Streamable HTTP, and calls in this process.
//!
//! Nothing here is global: several servers in one process know nothing of each other. Two parts concern whole
//! processes and long work: [`serve::main`] is a process and has its runtime, and [`tool::Tool::heavy`] runs in the
//! threads of whatever runtime serves it.

pub mod answer;
pub mod ask;
pub mod budget;
pub mod content;
pub mod context;
pub mod doctor;
mod json;
pub mod layers;
pub mod options;
pub mod reference;
mod schema;
pub mod seal;
pub mod serve;
pub mod server;
pub mod tool;
