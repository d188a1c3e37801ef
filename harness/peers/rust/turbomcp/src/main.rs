//! turbomcp as its README shows it.

use peer_work::{Summary, summary};
use turbomcp::prelude::*;

#[derive(Clone)]
struct Peer;

#[server(name = "turbomcp-peer", version = "0.1.0")]
impl Peer {
    #[tool("Returns the text.")]
    async fn echo(&self, text: String) -> McpResult<String> {
        Ok(text)
    }

    #[tool("Summarises numbers.")]
    async fn stats(&self, values: Vec<f64>) -> McpResult<Json<Summary>> {
        summary(&values).map(Json).ok_or_else(|| McpError::invalid_params("there are no values"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Peer.run_stdio().await?;
    Ok(())
}
