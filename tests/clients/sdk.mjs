//! The client of the TypeScript SDK 1.x.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { order, perform, print } from "./asks.mjs";

const { target, asks } = order();
const client = new Client({ name: "sdk", version: "1" });
const transport = target.url
  ? new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: target.headers } })
  : new StdioClientTransport({ command: target.command, args: target.args, stderr: "ignore" });
print(await perform(client, transport, asks));
