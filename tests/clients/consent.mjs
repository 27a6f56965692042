//! Has every client that can ask its user try to delete devices, and judges by what the platform was sent.
//!
//! It knows what each reply must lead to; how a client is run, it is told.

const NEEDED = "confirmation_required";
const DECLINED = "confirmation_declined";

/** What is asked, in this order: who leaves comes last. */
const REPLIES = [undefined, "decline", "cancel", "accept", "leave"];

/** The columns of the table. */
export const columns = ["nobody to ask", "no", "no reply", "yes", "gone"];

/** Gives each row of the table two devices of its own: what is deleted for one is not there for the next. */
export async function devices(base, key, rows) {
  const url = `${base}/core/v1/organization/devices?per_page=100`;
  const { items } = await (await fetch(url, { headers: { authorization: key } })).json();
  // Others are shown with their odd characters escaped.
  const plain = items.filter(({ name }) => /^[A-Za-z0-9 ]{1,60}$/.test(name ?? ""));
  return rows.map((_, row) => plain.slice(2 * row, 2 * row + 2));
}

/** What a client is asked: to delete the one device with a yes, and the other with everything else. */
export function asks([kept, deleted]) {
  return REPLIES.map((reply) => {
    const { id } = reply === "accept" ? deleted : kept;
    return { reply, method: "tools/call", params: { name: "delete_device", arguments: { device_id: id } } };
  });
}

/** Tells per column whether the outcome is right; a host over pipes asks its own user, so it gets a token. */
export async function judged(outcomes, [kept, deleted], { admin, tokens }) {
  const log = await (await fetch(`${admin}/requests`)).json();
  const sent = ({ id }) => log.filter((it) => it.method === "DELETE" && it.path.endsWith(id)).length;
  const code = (outcome) => outcome.result?.isError === true && outcome.result.structuredContent.error.code;
  const asked = (outcome, { id, name }) =>
    outcome.questions.length === 1 && outcome.questions[0].includes(id) && outcome.questions[0].includes(name);
  const [nobody, no, cancelled, yes, gone] = outcomes;
  const token = nobody.result?.structuredContent.error?.plan_token;
  return [
    nobody.questions.length === 0 && code(nobody) === NEEDED && (typeof token === "string") === tokens,
    asked(no, kept) && code(no) === DECLINED,
    asked(cancelled, kept) && code(cancelled) === DECLINED,
    asked(yes, deleted) && yes.result.isError !== true && sent(deleted) === 1,
    asked(gone, kept) && sent(kept) === 0,
  ];
}
