//! A server whose tools, prompts and resources exercise every part of the protocol: what the conformance
//! suite asks for, what the project's own tests ask for, and the two reference tools. It is served over the
//! path that all servers share.

mod extras;
mod media;
mod questions;
mod tools;

use std::sync::Arc;

use mcp_server::reference;
use mcp_server::serve::Purpose;
use mcp_server::server::About;

use crate::extras::Fixture;

/// What the fixture is for.
#[must_use]
pub fn purpose() -> Purpose {
    Purpose {
        about: About {
            name: "mcp-fixture-server",
            title: "Protocol fixture",
            version: env!("CARGO_PKG_VERSION"),
            instructions: "Tools that exercise the protocol. None of them does anything useful.",
        },
        tools: |builder, options, ()| {
            // A mistake in the set-up, for tests of what becomes of it.
            assert!(!options.roots.iter().any(|root| root.as_os_str() == "panic"), "asked for");
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
    }
}
