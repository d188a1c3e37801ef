//! rmcp as well as its documentation lets one have it: pipes without a thread pool, a runtime of one thread.

mod server;

use rmcp::ServiceExt;
use rmcp::transport::io::stdio_pipes;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = server::Peer::new().serve(stdio_pipes()).await?;
    service.waiting().await?;
    Ok(())
}
