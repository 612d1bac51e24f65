import { REST_BREAK_OFF_MS, REST_FAILURE_TEXT_MAX_BYTES } from "@comeback/core";
import type { Clock, TransferPace } from "@comeback/core";
import { answerError } from "./answer-errors.ts";
import { connectionError } from "./connection-errors.ts";
import { readText } from "./read-body.ts";
import { Slots } from "./slots.ts";
import { StallGuard } from "./stall-guard.ts";
import type { CallLimits } from "./stall-guard.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "./transport.ts";

/** Names and sizes come together; servers that do not know it answer in version 1. */
export const REST_V2 = "application/vnd.x.restic.rest.v2";

/** A server, and all that is needed to talk to it. */
export interface RestServer {
  readonly transport: HttpTransport;
  /** Where the repository is on it; begins and ends with a slash. */
  readonly basePath: string;
  /** The server as a message names it. */
  readonly name: string;
  /** The repository as a message names it. */
  readonly location: string;
  readonly authorization?: string | undefined;
  readonly connections: number;
  readonly clock: Clock;
  readonly limits: CallLimits;
  /** What else is known of a failure on the server's side. */
  explain?(): string | undefined;
}

export interface CallWish {
  readonly method: HttpRequest["method"];
  readonly path: string;
  /** For messages: "saving pack 0123456789". */
  readonly doing: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Asked before each part of the body is sent. */
  readonly pace?: TransferPace | undefined;
  readonly signal: AbortSignal | undefined;
  /** Other answers than those below 300 that the caller can do something with. */
  readonly alsoAccept?: readonly number[];
  readonly limits?: CallLimits;
}

/** An answer whose body is still to be read. */
export class Exchange implements Disposable {
  readonly answer: HttpAnswer;
  readonly guard: StallGuard;

  constructor(answer: HttpAnswer, guard: StallGuard) {
    this.answer = answer;
    this.guard = guard;
  }

  /** The body is of no interest; the connection is kept where there is little of it. */
  async skipBody(): Promise<void> {
    await readText(this.answer.body, REST_FAILURE_TEXT_MAX_BYTES, this.guard);
  }

  [Symbol.dispose](): void {
    this.answer.body.destroy();
    this.guard[Symbol.dispose]();
  }
}

/** Makes calls: so many at once, ended where they stall, and with errors for people. */
export class RestClient {
  readonly server: RestServer;
  readonly #slots: Slots;
  /** The server is rclone, which takes a name that is taken, and remembers what it listed. */
  isRclone = false;

  constructor(server: RestServer) {
    this.server = server;
    this.#slots = new Slots(server.connections);
  }

  async call<T>(wish: CallWish, read: (exchange: Exchange) => Promise<T>): Promise<T> {
    using _ = await this.#slots.take(wish.signal);
    using exchange = await this.start(wish);
    try {
      return await read(exchange);
    } catch (error) {
      throw this.explain(wish, error);
    }
  }

  /** Without waiting for a turn: for lists, which stay open while others call. */
  async start(wish: CallWish): Promise<Exchange> {
    const { server } = this;
    const { signal, body } = wish;
    const guard = new StallGuard({
      clock: server.clock,
      limits: wish.limits ?? server.limits,
      sizeBytes: body?.byteLength ?? 0,
      // An upload is not cut but ended short, so that its end can be waited for.
      signal: body === undefined ? signal : undefined,
    });
    const breakOff = (): void => guard.endWithin(REST_BREAK_OFF_MS);
    if (body !== undefined) signal?.addEventListener("abort", breakOff, { once: true });
    try {
      const answer = await server.transport.request({
        method: wish.method,
        path: wish.path,
        headers: this.#headers(wish),
        ...(body === undefined ? {} : { body, breakOff: signal, pace: pausing(guard, wish.pace) }),
        signal: guard.signal,
        onProgress: guard.progress,
      });
      const exchange = new Exchange(answer, guard);
      if (answer.header("server")?.startsWith("rclone/") === true) this.isRclone = true;
      if (answer.status < 300 || wish.alsoAccept?.includes(answer.status) === true) return exchange;
      throw await this.#failure(wish, exchange);
    } catch (error) {
      guard[Symbol.dispose]();
      throw this.explain(wish, error);
    } finally {
      signal?.removeEventListener("abort", breakOff);
    }
  }

  /** The error for people; the caller's own reason where it was he who ended the call. */
  explain(wish: CallWish, error: unknown): unknown {
    if (wish.signal?.aborted === true) return wish.signal.reason;
    // A defect of ours is not the server's.
    if (error instanceof TypeError || error instanceof RangeError) return error;
    return connectionError({ doing: wish.doing, server: this.server.name }, error);
  }

  #headers(wish: CallWish): Record<string, string> {
    const { authorization } = this.server;
    return {
      accept: REST_V2,
      "accept-encoding": "identity",
      "user-agent": "comeback",
      ...(authorization === undefined ? {} : { authorization }),
      ...(wish.body === undefined
        ? {}
        : {
            "content-type": "application/octet-stream",
            "content-length": String(wish.body.byteLength),
          }),
      ...wish.headers,
    };
  }

  async #failure(wish: CallWish, exchange: Exchange): Promise<Error> {
    const { answer, guard } = exchange;
    const body = await readText(answer.body, REST_FAILURE_TEXT_MAX_BYTES, guard);
    const known = answer.status >= 500 ? this.server.explain?.() : undefined;
    const text = known ?? body;
    return answerError({
      doing: wish.doing,
      server: this.server.name,
      method: wish.method,
      status: answer.status,
      header: (name) => answer.header(name),
      text,
      nowMs: this.server.clock.now(),
    });
  }
}

/** While a call is held back, the server's time stands still. */
function pausing(guard: StallGuard, pace: TransferPace | undefined): TransferPace | undefined {
  if (pace === undefined) return undefined;
  return async (bytes, signal) => {
    guard.pause();
    try {
      await pace(bytes, signal);
    } finally {
      guard.resume();
    }
  };
}
