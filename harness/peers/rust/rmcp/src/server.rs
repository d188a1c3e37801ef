//! The server in both configurations.

use peer_work::{Echo, Stats, Summary, summary};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{Json, ServerHandler, tool, tool_handler, tool_router};

#[derive(Clone)]
pub struct Peer {
    tool_router: ToolRouter<Self>,
}

#[tool_router(router = tool_router)]
impl Peer {
    pub fn new() -> Self {
        Self { tool_router: Self::tool_router() }
    }

    #[tool(description = "Returns the text.")]
    fn echo(&self, Parameters(echo): Parameters<Echo>) -> String {
        echo.text
    }

    #[tool(description = "Summarises numbers.")]
    fn stats(&self, Parameters(stats): Parameters<Stats>) -> Result<Json<Summary>, String> {
        summary(&stats.values).map(Json).ok_or_else(|| "there are no values".to_owned())
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Peer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
