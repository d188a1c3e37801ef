//! rmcp as its README shows it: `stdio()` on the runtime with many threads.

mod server;

use rmcp::ServiceExt;
use rmcp::transport::stdio;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = server::Peer::new().serve(stdio()).await?;
    service.waiting().await?;
    Ok(())
}
