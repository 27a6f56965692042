//! Performs what it is asked with a client of either TypeScript library, and prints what the client got.
//!
//! It does not know which answers are right.

import { readFileSync, writeSync } from "node:fs";

/** Reads the order of a run: `target`, `era` and `asks`; where these say what a person replies, also `people`. */
export function order() {
  return JSON.parse(readFileSync(0, "utf8"));
}

/** Prints an outcome per ask; each is the `result`, or the `error` that the client threw. */
export function print(outcomes) {
  writeSync(1, JSON.stringify(outcomes));
}

/** What a thrown error says. */
export function thrown(err) {
  return { error: { code: err.code, message: String(err.message ?? err) } };
}

/** Performs the asks of an order and prints the outcomes; `make` gives a client, which asks a person through `answer` if it can, and its transport. */
export async function run(make, { asks, people }) {
  if (!people) return print(await perform(...make(), asks));
  const outcomes = [];
  for (const ask of asks) {
    const questions = [];
    const answer = (question) => {
      questions.push(question);
      if (ask.reply !== "leave") return { action: ask.reply, content: {} };
      print([...outcomes, { questions }]);
      process.exit(); // Nobody closes anything.
    };
    const [outcome] = await perform(...make(ask.reply && answer), [ask]);
    outcomes.push({ ...outcome, questions });
  }
  print(outcomes);
}

/** Performs the asks with a client that is connected first. */
async function perform(client, transport, asks) {
  try {
    await client.connect(transport);
  } catch (err) {
    return asks.map(() => thrown(err));
  }
  const outcomes = [];
  for (const ask of asks) {
    outcomes.push(await one(client, ask).then((result) => ({ result }), thrown));
  }
  await client.close();
  return outcomes;
}

function one(client, { method, params }) {
  switch (method) {
    case "tools/list":
      return client.listTools();
    case "tools/call":
      return client.callTool(params);
    case "resources/templates/list":
      return client.listResourceTemplates();
    case "resources/read":
      return client.readResource(params);
  }
}
