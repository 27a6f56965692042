//! The TypeScript client 2.x, which speaks both eras.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { order, run } from "./asks.mjs";

const it = order();
const { target, era } = it;
const mode = era === "legacy" ? "legacy" : { pin: "2026-07-28" };

function make(answer) {
  const capabilities = answer ? { elicitation: {} } : {};
  const client = new Client({ name: "client", version: "1" }, { versionNegotiation: { mode }, capabilities });
  if (answer) client.setRequestHandler("elicitation/create", async ({ params }) => answer(params.message));
  const transport = target.url
    ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
    : new StdioClientTransport({ command: target.command, args: target.args, stderr: "ignore" });
  return [client, transport];
}

await run(make, it);
