//! tower-mcp as its README shows it.

use peer_work::{Echo, Stats, Summary, summary};
use tower_mcp::{BoxError, CallToolResult, McpRouter, StdioTransport, ToolBuilder};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let echo = ToolBuilder::new("echo")
        .description("Returns the text.")
        .read_only()
        .handler(|echo: Echo| async move { Ok(CallToolResult::text(echo.text)) })
        .build();
    let stats = ToolBuilder::new("stats")
        .description("Summarises numbers.")
        .read_only()
        .output_schema_for::<Summary>()
        .handler(|stats: Stats| async move {
            match summary(&stats.values) {
                Some(summary) => CallToolResult::from_serialize(&summary),
                None => Ok(CallToolResult::error("there are no values")),
            }
        })
        .build();
    let router = McpRouter::new().server_info("tower-mcp-peer", "0.1.0").tool(echo).tool(stats);
    StdioTransport::new(router).run().await?;
    Ok(())
}
