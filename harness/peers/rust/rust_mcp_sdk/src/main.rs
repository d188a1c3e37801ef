//! rust-mcp-sdk as its README shows it.

use std::sync::Arc;

use async_trait::async_trait;
use peer_work::summary;
use rust_mcp_sdk::error::SdkResult;
use rust_mcp_sdk::mcp_server::{McpServerOptions, ServerHandler, server_runtime};
use rust_mcp_sdk::schema::schema_utils::CallToolError;
use rust_mcp_sdk::schema::{
    CallToolRequestParams, CallToolResult, Implementation, ListToolsResult, ListToolsResultCacheScope,
    PaginatedRequestParams, RpcError, ServerCapabilities, ServerCapabilitiesTools, ServerResult,
};
use rust_mcp_sdk::{
    McpServer, RequestContext, ServerDetails, StdioTransport, ToMcpServerHandler, TransportOptions, macros,
};
use serde_json::Value;

#[macros::mcp_tool(name = "echo", description = "Returns the text.")]
#[derive(Debug, serde::Deserialize, serde::Serialize, macros::JsonSchema)]
pub struct Echo {
    /// Text to return.
    text: String,
}

#[macros::mcp_tool(name = "stats", description = "Summarises numbers.")]
#[derive(Debug, serde::Deserialize, serde::Serialize, macros::JsonSchema)]
pub struct Stats {
    /// Numbers to summarise, at least one.
    values: Vec<f64>,
}

struct Peer;

fn arguments<T: serde::de::DeserializeOwned>(params: CallToolRequestParams) -> Result<T, CallToolError> {
    let arguments = Value::Object(params.arguments.unwrap_or_default());
    serde_json::from_value(arguments).map_err(CallToolError::new)
}

#[async_trait]
impl ServerHandler for Peer {
    async fn handle_list_tools_request(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ListToolsResult, RpcError> {
        Ok(ListToolsResult {
            tools: vec![Echo::tool(), Stats::tool()],
            cache_scope: ListToolsResultCacheScope::Private,
            result_type: "complete".to_owned(),
            ttl_ms: 0,
            meta: None,
            next_cursor: None,
        })
    }

    async fn handle_call_tool_request(
        &self,
        params: CallToolRequestParams,
        _context: &RequestContext,
        _runtime: Arc<dyn McpServer>,
    ) -> Result<ServerResult, CallToolError> {
        let result = match params.name.as_str() {
            "echo" => {
                let echo: Echo = arguments(params)?;
                CallToolResult::text_content(vec![echo.text.into()])
            }
            "stats" => {
                let stats: Stats = arguments(params)?;
                let summary = summary(&stats.values)
                    .ok_or_else(|| CallToolError::from_message("there are no values"))?;
                let Value::Object(map) = serde_json::to_value(&summary).map_err(CallToolError::new)? else {
                    return Err(CallToolError::from_message("no object"));
                };
                let text = serde_json::to_string(&summary).map_err(CallToolError::new)?;
                CallToolResult::text_content(vec![text.into()]).with_structured_content(map)
            }
            _ => return Err(CallToolError::unknown_tool(params.name)),
        };
        Ok(ServerResult::from(result))
    }
}

#[tokio::main]
async fn main() -> SdkResult<()> {
    let server_details = ServerDetails {
        server_info: Implementation {
            name: "rust-mcp-sdk-peer".into(),
            version: "0.1.0".into(),
            title: None,
            description: None,
            icons: vec![],
            website_url: None,
        },
        capabilities: ServerCapabilities {
            tools: Some(ServerCapabilitiesTools { list_changed: None }),
            ..Default::default()
        },
        instructions: None,
        meta: None,
    };
    let transport = StdioTransport::new(TransportOptions::default())?;
    let handler = Peer.to_mcp_server_handler();
    let server = server_runtime::create_server(McpServerOptions {
        transport,
        handler,
        server_details,
        message_observer: None,
    });
    server.start().await
}
