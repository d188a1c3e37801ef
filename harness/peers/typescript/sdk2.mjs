// @modelcontextprotocol/server, the second generation, as its documentation shows it.
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import { echo, echoed, stats, summarised, summary } from "./work.mjs";

serveStdio(() => {
  const server = new McpServer({ name: "typescript-sdk-2", version: "0.1.0" });
  server.registerTool("echo", { description: "Returns the text.", inputSchema: z.object(echo) }, echoed);
  server.registerTool(
    "stats",
    { description: "Summarises numbers.", inputSchema: z.object(stats), outputSchema: z.object(summary) },
    summarised,
  );
  return server;
});
