//! pmcp as its README and examples show it.

use peer_work::{Echo, Stats, Summary, summary};
use pmcp::types::capabilities::ServerCapabilities;
use pmcp::{Error, ServerBuilder};

#[tokio::main]
async fn main() -> pmcp::Result<()> {
    let server = ServerBuilder::new()
        .name("pmcp-peer")
        .version("0.1.0")
        .capabilities(ServerCapabilities::tools_only())
        .tool_typed_with_description::<Echo, _, _>("echo", "Returns the text.", |echo, _| {
            Box::pin(async move { Ok(serde_json::Value::String(echo.text)) })
        })
        .tool_typed_with_output_and_description::<Stats, Summary>(
            "stats",
            "Summarises numbers.",
            |stats, _| {
                Box::pin(async move {
                    summary(&stats.values).ok_or_else(|| Error::validation("there are no values"))
                })
            },
        )
        .build()?;
    server.run_stdio().await
}
