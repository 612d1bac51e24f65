import { ComebackError, messageOf } from "@comeback/core";
import type { HttpCall, TextOrSecret } from "./undo-step.ts";
import type { ActionServices } from "./undo-services.ts";

/** For people: what is called, without what may be secret in it. */
export function describeCall({ method, url }: HttpCall): string {
  return `${method} ${typeof url === "string" && URL.canParse(url) ? placeOf(url) : "to a secret URL"}`;
}

/** No password, no query: tokens stand there. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Makes a call, and rejects where the answer does not count as success. */
export async function callHttp(
  call: HttpCall,
  { fetch, resolveSecret }: ActionServices,
  signal: AbortSignal,
): Promise<void> {
  const textOf = (text: TextOrSecret): Promise<string> | string =>
    typeof text === "string" ? text : resolveSecret(text, signal);
  const what = describeCall(call);
  const url = await textOf(call.url);
  if (!URL.canParse(url)) throw failed(what, "this is no URL");
  const target = new URL(url);
  const headers = new Headers();
  const { username, password } = target;
  if (username !== "" || password !== "") {
    // `fetch` refuses them in a URL, and names them in its error.
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
    target.username = target.password = "";
  }
  for (const [name, value] of Object.entries(call.headers)) headers.set(name, await textOf(value));
  const body = call.body === undefined || call.method === "GET" ? {} : { body: call.body };
  let response: Response;
  try {
    response = await fetch(target, { method: call.method, headers, ...body, signal });
  } catch (error) {
    signal.throwIfAborted();
    // The message of `fetch` may hold the whole URL; that of its cause says what is wrong.
    const { cause } = error as Error;
    throw failed(what, cause === undefined ? "no answer came" : messageOf(cause));
  }
  await response.body?.cancel();
  const { status } = response;
  const isAccepted = call.status === undefined ? response.ok : call.status.includes(status);
  if (!isAccepted) throw failed(what, `the answer is ${status} ${response.statusText}`.trimEnd());
}

function failed(what: string, why: string): ComebackError {
  return new ComebackError("action.failed", `${what} failed`, {
    why,
    next: "see whether that service runs, and what it says about the call",
  });
}
