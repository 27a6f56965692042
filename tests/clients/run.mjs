//! Runs every client over every transport, judges what each got, and prints a table; exit 1 if anything is not as it should be.
//!
//! Arguments: the server's program, the interpreter of Python, the addresses of a server with the sandbox, of one with sessions, of one for many tenants, of one whose sandbox can be seen from behind, of this sandbox, and of its back.
//! How a client is used is known to its own program only.

import { spawn } from "node:child_process";
import { join } from "node:path";

import * as consent from "./consent.mjs";

const [program, python, sandbox, sessions, tenants, asking, base, admin] = process.argv.slice(2);
const here = import.meta.dirname;

const DEVICE = "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10"; // Of the sandbox's tenant A.
const KEY = "sandbox-key-A-northwind-organization";
const headers = { "X-XYTE-API-KEY": KEY };
const LIMIT_MS = 120_000; // For all that one client is asked; the Inspector starts anew each time.

const clients = [
  { name: "typescript sdk 1.x", script: "sdk.mjs", eras: ["legacy"] },
  { name: "typescript client 2.x", script: "client.mjs", eras: ["legacy", "modern"] },
  { name: "python sdk", script: "python_sdk.py", eras: ["legacy", "modern"] },
  { name: "fastmcp", script: "fastmcp_client.py", eras: ["legacy", "modern"] },
  // Its command line cannot ask anybody.
  { name: "inspector", script: "inspector.mjs", eras: ["legacy", "modern"], asks: false },
];

const transports = [
  { name: "http", served: { url: sandbox, headers }, keyless: { url: tenants, headers: {} } },
  { name: "http, sessions", served: { url: sessions, headers }, legacyOnly: true },
  {
    name: "stdio",
    served: { command: program, args: ["stdio", "--sandbox", "--sandbox-scenario", "small"] },
    keyless: { command: program, args: ["stdio"] },
  },
];

const call = (name, given) => ({ method: "tools/call", params: { name, arguments: given } });
const read = (uri) => ({ method: "resources/read", params: { uri } });
const text = ({ result }) => JSON.parse(result.contents[0].text);

/** What each client is asked, and when its outcome is right. */
const steps = {
  "tools": [{ method: "tools/list" }, ({ result }) =>
    ["list_devices", "get_device"].every((name) => result.tools.some((tool) => tool.name === name))],
  "list": [call("list_devices", { limit: 2 }), ({ result: { structuredContent: { items, page } } }) =>
    items.length === 2 && items[0].id === DEVICE && page.complete === false],
  "get": [call("get_device", { device_id: DEVICE }), ({ result }) =>
    result.structuredContent.id === DEVICE && result.content[0].text.includes(DEVICE)],
  "templates": [{ method: "resources/templates/list" }, ({ result }) =>
    result.resourceTemplates.some((template) => template.uriTemplate === "device://{device_id}/status")],
  "resource": [read("devices://"), (outcome) => text(outcome).items.some((row) => row.id === DEVICE)],
  "template": [read(`device://${DEVICE}/status`), (outcome) => "effective_status" in text(outcome)],
  // The Inspector looks the name up in the list before it calls.
  "unknown tool": [call("no_such_tool", {}), ({ error }) =>
    [-32602, "tool_not_found"].includes(error.code) && error.message.includes("no_such_tool")],
  "bad argument": [call("list_devices", { limt: 2 }), ({ result }) =>
    result.isError === true && result.structuredContent.error.code === "invalid_arguments"],
  "no such device": [call("get_device", { device_id: "00000000-0000-4000-8000-000000000000" }), ({ result }) =>
    result.isError === true && result.structuredContent.error.code === "not_found"],
};

/** Without a key, HTTP refuses every message; over pipes the call does. Two clients say 401 in words of their own. */
const keyless = [call("list_devices", { limit: 2 }), ({ error, result }) =>
  error
    ? /x-xyte-api-key|requires authorization \(HTTP 401\)/.test(error.message)
    : result.isError === true && result.structuredContent.error.hint.includes("XYTE_API_KEY")];

/** How a client that can ask its user reaches the server; in the legacy era, HTTP takes a session for that. */
const ways = [
  { name: "http", target: { url: asking, headers }, tokens: false },
  {
    name: "stdio",
    target: { command: program, args: ["stdio", "--toolsets", "all", "--base-url", base, "--api-key", KEY] },
    tokens: true,
  },
];

/** Has a client perform what it is asked, and gives its outcomes in the same order. */
function outcomes(client, era, target, asks, more = {}) {
  const { script } = client;
  const command = script.endsWith(".py") ? python : process.execPath;
  const child = spawn(command, [join(here, script)], { stdio: ["pipe", "pipe", "pipe"], timeout: LIMIT_MS });
  const written = { stdout: "", stderr: "" };
  for (const pipe of ["stdout", "stderr"]) {
    child[pipe].setEncoding("utf8").on("data", (chunk) => (written[pipe] += chunk));
  }
  child.stdin.end(JSON.stringify({ target, era, asks, ...more }));
  return new Promise((resolve) =>
    child.on("close", (code, signal) => {
      try {
        resolve(JSON.parse(written.stdout));
      } catch {
        const message = `it ended with ${code ?? signal}: ${written.stdout}${written.stderr.slice(-2000)}`;
        resolve(asks.map(() => ({ error: { message } })));
      }
    }),
  );
}

const faults = [];

/** Tells whether an outcome is right, and remembers it if not. */
function judge(what, right, outcome) {
  let good = false;
  try {
    good = right(outcome ?? {});
  } catch {
    // What is looked at is not there.
  }
  if (!good) faults.push(`${what}: ${JSON.stringify(outcome)?.slice(0, 1000)}`);
  return good ? "ok" : "FAILED";
}

async function row(client, era, transport) {
  const label = [client.name, era, transport.name];
  const asks = Object.values(steps).map(([ask]) => ask);
  const got = await outcomes(client, era, transport.served, asks);
  const cells = Object.entries(steps).map(([step, [, right]], place) =>
    judge([...label, step].join(", "), right, got[place]),
  );
  if (!transport.keyless) return [...label, ...cells, "-"];
  const [refused] = await outcomes(client, era, transport.keyless, [keyless[0]]);
  return [...label, ...cells, judge([...label, "no key"].join(", "), keyless[1], refused)];
}

/** A row of the table of who deletes what, with or without a person. */
async function consentRow([client, era, way], devices) {
  const label = [client.name, era, way.name === "http" && era === "legacy" ? "http, sessions" : way.name];
  const got = await outcomes(client, era, way.target, consent.asks(devices), { people: true });
  const right = await consent.judged(got, devices, { admin, tokens: way.tokens }).catch(() => []);
  const cells = consent.columns.map((column, place) =>
    judge([...label, column].join(", "), () => right[place] === true, got[place]),
  );
  return [...label, ...cells];
}

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  for (const cells of rows) {
    console.log(cells.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
  }
}

const rows = [["client", "era", "transport", ...Object.keys(steps), "no key"]];
for (const client of clients) {
  for (const era of client.eras) {
    const over = transports.filter((transport) => era === "legacy" || !transport.legacyOnly);
    rows.push(...(await Promise.all(over.map((transport) => row(client, era, transport)))));
  }
}
print(rows);

const people = clients
  .filter((client) => client.asks !== false)
  .flatMap((client) => client.eras.flatMap((era) => ways.map((way) => [client, era, way])));
const devices = await consent.devices(base, KEY, people);
const consents = [["client", "era", "transport", ...consent.columns]];
for (const [place, one] of people.entries()) {
  consents.push(await consentRow(one, devices[place]));
}
console.log();
print(consents);
for (const fault of faults) console.log(`\n${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
