//! The TypeScript client 2.x, which speaks both eras.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { order, perform, print } from "./asks.mjs";

const { target, era, asks } = order();
const mode = era === "legacy" ? "legacy" : { pin: "2026-07-28" };
const client = new Client({ name: "client", version: "1" }, { versionNegotiation: { mode } });
const transport = target.url
  ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
  : new StdioClientTransport({ command: target.command, args: target.args, stderr: "ignore" });
print(await perform(client, transport, asks));
