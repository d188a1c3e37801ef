// @modelcontextprotocol/sdk, the first generation, as its README shows it.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { echo, echoed, stats, summarised, summary } from "./work.mjs";

const server = new McpServer({ name: "typescript-sdk-1", version: "0.1.0" });
server.registerTool("echo", { description: "Returns the text.", inputSchema: echo }, echoed);
server.registerTool(
  "stats",
  { description: "Summarises numbers.", inputSchema: stats, outputSchema: summary },
  summarised,
);
await server.connect(new StdioServerTransport());
