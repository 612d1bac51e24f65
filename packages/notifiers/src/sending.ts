import {
  ComebackError,
  isComebackError,
  messageOf,
  type Notification,
  type Notifier,
  NOTIFY_ANSWER_MAX_BYTES,
  NOTIFY_TIMEOUT_MS,
  retryAfterContext,
} from "@comeback/core";
import { CUT_MARK, cutText } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { Redactor } from "./redactor.ts";
import { oneLine } from "./render-text.ts";

export interface ChannelRequest {
  readonly url: string;
  /** Default: POST. */
  readonly method?: "GET";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly text?: string;
}

export interface ChannelAnswer {
  readonly status: number;
  readonly isOk: boolean;
  readonly headers: Headers;
  /** Of the body, so much as is worth being told. */
  readonly text: string;
}

export interface FailureDetails {
  readonly next: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
}

const ANSWER_SHOWN_MAX_CHARS = 200;
const TLS_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS|ERR_SSL/;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007E\u0080-\u00FF]*$/;
const MAY_PASS: ReadonlySet<number> = new Set([408, 425, 429]);

/** Makes a notifier of what sends one message: it gets a time limit, and an end at an abort. */
export function channelNotifier(
  kind: string,
  world: NotifierWorld,
  send: (notification: Notification, sending: Sending) => Promise<void>,
): Notifier {
  return {
    kind,
    async send(notification, signal) {
      signal.throwIfAborted();
      const [stop, done] = [new AbortController(), new AbortController()];
      const either = AbortSignal.any([signal, stop.signal]);
      const sending = new Sending(kind, world, either);
      const timeout = world.clock
        .sleep(NOTIFY_TIMEOUT_MS, AbortSignal.any([signal, done.signal]))
        .then(
          () => stop.abort(sending.timeOver()),
          () => undefined,
        );
      try {
        await send(notification, sending);
      } catch (error) {
        // Whatever an ended call says of its end, this is why.
        either.throwIfAborted();
        throw isComebackError(error) ? error : sending.broken(error);
      } finally {
        done.abort();
        await timeout;
      }
    },
  };
}

/** One message on its way: its secrets, its calls, and what is told where they fail. */
export class Sending {
  readonly signal: AbortSignal;
  readonly #kind: string;
  readonly #world: NotifierWorld;
  readonly #redactor: Redactor = new Redactor();

  constructor(kind: string, world: NotifierWorld, signal: AbortSignal) {
    this.#kind = kind;
    this.#world = world;
    this.signal = signal;
  }

  /** A secret, which no error of this message will name. */
  async secret(text: SecretText): Promise<string> {
    const secret = await text(this.signal);
    this.#redactor.add(secret);
    return secret;
  }

  /** Resolves to the answer, whatever it says; rejects where none came. */
  async call(request: ChannelRequest): Promise<ChannelAnswer> {
    const { method = "POST", json, text } = request;
    const { url, headers } = this.#target(request);
    const body = json === undefined ? text : JSON.stringify(json);
    let response: Response;
    try {
      response = await this.#world.fetch(url, {
        method,
        headers,
        // Elsewhere, a message is not ours to send: neither it nor its secrets.
        redirect: "manual",
        signal: this.signal,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      this.signal.throwIfAborted();
      throw this.broken(error);
    }
    const answer = await readBounded(response).catch((error: unknown) => {
      this.signal.throwIfAborted();
      throw this.broken(error);
    });
    return { status: response.status, isOk: response.ok, headers: response.headers, text: answer };
  }

  #target({ url, json, headers: given = {} }: ChannelRequest): { url: URL; headers: Headers } {
    if (!/^https?:/i.test(url) || !URL.canParse(url)) {
      const next = "write it as https://…, as the service shows it";
      throw this.failed("its address is no URL", { next });
    }
    const target = new URL(url);
    const headers = new Headers({ "user-agent": "comeback" });
    if (json !== undefined) headers.set("content-type", "application/json; charset=utf-8");
    const { username, password } = target;
    if (username !== "" || password !== "") {
      // `fetch` refuses them in a URL, and names them in its error.
      const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
      target.username = target.password = "";
    }
    for (const [name, value] of Object.entries(given)) {
      if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) {
        const next = "check its name, and its value for line breaks and characters beyond Latin-1";
        throw this.failed(`the header ${oneLine(name)} cannot be sent`, { next });
      }
      headers.set(name, value);
    }
    return { url: target, headers };
  }

  /** The error about an answer that is no success. `says` is what the service itself says. */
  refused(
    answer: ChannelAnswer,
    known: { readonly says?: string | undefined; readonly next?: string | undefined } & {
      readonly retryAfterMs?: number | undefined;
    } = {},
  ): ComebackError {
    const { status, headers, text } = answer;
    const asked = retryAfterContext(
      headers.get("retry-after") ?? undefined,
      this.#world.clock.now(),
    );
    const said = oneLine(this.#redactor.redact(known.says ?? text));
    const shown = said === "" ? "" : `: ${cutText(said, ANSWER_SHOWN_MAX_CHARS)}`;
    return this.failed(`the answer is ${status}${shown}`, {
      next: known.next ?? nextOf(status),
      retryable: MAY_PASS.has(status) || status >= 500,
      retryAfterMs: known.retryAfterMs ?? asked.retryAfterMs,
    });
  }

  failed(why: string, { next, retryable = false, retryAfterMs }: FailureDetails): ComebackError {
    return new ComebackError("notify.failed", `${this.#kind} did not take the message`, {
      why: this.#redactor.redact(why),
      next,
      retryable,
      context: retryAfterMs === undefined ? {} : { retryAfterMs },
    });
  }

  /** No answer came. The message of `fetch` may hold the whole URL; its cause says what is wrong. */
  broken(error: unknown): ComebackError {
    const cause = innermost(error);
    const { code = "" } = (cause ?? {}) as { readonly code?: string };
    const why = cause === undefined ? "no answer came" : messageOf(cause) || code;
    if (TLS_ERROR.test(code)) {
      const next =
        "check the server's certificate and name; an authority of your own goes into the file that NODE_EXTRA_CA_CERTS names";
      return this.failed(why, { next });
    }
    return this.failed(why, { next: "check its address, and the way there", retryable: true });
  }

  timeOver(): ComebackError {
    return this.failed(`no answer came within ${NOTIFY_TIMEOUT_MS / 1000} seconds`, {
      next: "check the way there, and whether a firewall is in it",
      retryable: true,
    });
  }
}

function innermost(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown };
  // One for each address of the host that was tried.
  if (cause instanceof AggregateError) return cause.errors[0];
  return cause ?? ((error as { readonly code?: unknown }).code === undefined ? undefined : error);
}

function nextOf(status: number): string {
  if (status >= 300 && status < 400) return "write the address that it has moved to";
  if (status === 401 || status === 403) return "check its token or key, and what it may do";
  if (status === 404 || status === 410) return "check its address: nobody is there (any more)";
  if (status === 429)
    return "wait: what is to be told is sent again; fewer `events` keep below its limit";
  if (status >= 500) return "see whether the service is well; what is to be told is sent again";
  return "check the settings of the channel against what the answer says";
}

/** The first of a body; the rest of it is of no use. */
async function readBounded(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= NOTIFY_ANSWER_MAX_BYTES) break;
  }
  const text = Buffer.concat(chunks).subarray(0, NOTIFY_ANSWER_MAX_BYTES).toString("utf8");
  return size > NOTIFY_ANSWER_MAX_BYTES ? text + CUT_MARK : text;
}

/** A field of a JSON answer; `undefined` where there is none, or where it is no JSON. */
export function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
