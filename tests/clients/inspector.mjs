//! The Inspector on the command line: a process for each ask.

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { order, print } from "./asks.mjs";

const { target, era, asks } = order();
const program = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/inspector/package.json")),
  "clients/launcher/build/index.js",
);

function flags({ method, params }) {
  const { name, arguments: given, uri } = params ?? {};
  const ask = ["--method", method];
  if (name) ask.push("--tool-name", name, "--tool-args-json", JSON.stringify(given));
  if (uri) ask.push("--uri", uri);
  return [...ask, "--protocol-era", era, "--format", "json", "--quiet", "--stored-auth-only"];
}

function address() {
  if (!target.url) return [target.command, ...target.args];
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  return ["--server-url", target.url, "--transport", "http", ...headers];
}

async function one(ask) {
  const args = [program, "--cli", ...(target.url ? [] : address()), ...flags(ask), ...(target.url ? address() : [])];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch((failed) => failed);
  const written = stdout.trim() || stderr.trim();
  try {
    const { result, error } = JSON.parse(written);
    return error ? { error } : { result };
  } catch {
    return { error: { message: written } };
  }
}

const outcomes = [];
for (const ask of asks) outcomes.push(await one(ask));
print(outcomes);
