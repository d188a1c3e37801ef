//! A server whose tools, prompts and resources exercise every part of the protocol: what the conformance
//! suite asks for, what the project's own tests ask for, and the two reference tools. It is served over the
//! path that all servers share.

mod extras;
mod media;
mod questions;
mod tools;

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use mcp_core::reference;
use mcp_core::serve::{Purpose, main as serve};
use mcp_core::server::About;

use crate::extras::Fixture;

fn main() -> ExitCode {
    serve(&Purpose::<(), Infallible> {
        about: About {
            name: "mcp-fixture-server",
            title: "Protocol fixture",
            version: env!("CARGO_PKG_VERSION"),
            instructions: "Tools that exercise the protocol. None of them does anything useful.",
        },
        tools: |builder, _options, ()| {
            let fixture = Arc::new(Fixture::default());
            Ok(builder
                .list_changes()
                .tools(&Arc::new(()), reference::tools())
                .tools(&fixture, tools::all())
                .tools(&fixture, questions::all())
                .extras(fixture))
        },
        facts: |_options, ()| Vec::new(),
        act: |action, _options, ()| match action {},
    })
}
