import { connect, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import {
  HTTP2_SESSION_MEMORY_MB,
  HTTP2_SESSION_WINDOW_BYTES,
  HTTP2_STREAM_WINDOW_BYTES,
} from "@comeback/core";
import { sendBody } from "./send-body.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "./transport.ts";

export interface Http2Options {
  /** `https://host:port`, as requests name it. */
  readonly authority: string;
  /** A new connection, on which HTTP/2 is agreed; asked for again when the last one has ended. */
  connect(signal: AbortSignal): Promise<Duplex>;
}

/** HTTP/2 on one connection at a time, whatever it is made of. */
export class Http2Transport implements HttpTransport {
  readonly #options: Http2Options;
  readonly #closed = new AbortController();
  #session: Promise<ClientHttp2Session> | undefined;

  constructor(options: Http2Options) {
    this.#options = options;
  }

  async request(wish: HttpRequest): Promise<HttpAnswer> {
    wish.signal.throwIfAborted();
    const session = await this.#open(wish.signal);
    wish.onProgress();
    const { host, protocol } = new URL(this.#options.authority);
    const stream = session.request(
      {
        [constants.HTTP2_HEADER_METHOD]: wish.method,
        [constants.HTTP2_HEADER_PATH]: wish.path,
        [constants.HTTP2_HEADER_AUTHORITY]: host,
        [constants.HTTP2_HEADER_SCHEME]: protocol.slice(0, -1),
        ...wish.headers,
      },
      { endStream: wish.body === undefined },
    );
    const closed = new Promise<void>((resolve) => stream.once("close", resolve));
    const cut = (): void => void stream.destroy(wish.signal.reason as Error);
    wish.signal.addEventListener("abort", cut, { once: true });
    stream.once("close", () => wish.signal.removeEventListener("abort", cut));
    try {
      return await exchange(stream, wish);
    } catch (error) {
      stream.destroy();
      await closed;
      wish.signal.throwIfAborted();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("the connection is being closed"));
    const session = await this.#session?.catch(() => undefined);
    if (session === undefined || session.destroyed) return;
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    session.destroy();
    await closed;
  }

  /** The session, or a new one. All who need a new one share it, and its failure. */
  async #open(signal: AbortSignal): Promise<ClientHttp2Session> {
    const failed = (): undefined => undefined;
    const current = this.#session;
    const session = await orAbort(current?.catch(failed) ?? Promise.resolve(undefined), signal);
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    if (this.#session === current) {
      this.#session = this.#connect();
      this.#session.catch(failed);
    }
    return await orAbort(this.#session as Promise<ClientHttp2Session>, signal);
  }

  async #connect(): Promise<ClientHttp2Session> {
    const connection = await this.#options.connect(this.#closed.signal);
    const session = connect(this.#options.authority, {
      createConnection: () => connection,
      settings: { enablePush: false, initialWindowSize: HTTP2_STREAM_WINDOW_BYTES },
      maxSessionMemory: HTTP2_SESSION_MEMORY_MB,
    });
    // The calls under way fail with it; without a listener it would end the process.
    session.on("error", () => undefined);
    session.once("connect", () => session.setLocalWindowSize(HTTP2_SESSION_WINDOW_BYTES));
    return session;
  }
}

/** Waits for what others wait for too: an abort ends only this wait. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

async function exchange(stream: ClientHttp2Stream, wish: HttpRequest): Promise<HttpAnswer> {
  const answered = new AbortController();
  const answer = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once("response", (headers) => {
      answered.abort();
      resolve(headers);
    });
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("the server ended the call without an answer")));
  });
  answer.catch(() => undefined);
  const { body, breakOff } = wish;
  if (body !== undefined) {
    const stop = AbortSignal.any([answered.signal, ...(breakOff === undefined ? [] : [breakOff])]);
    await sendBody(stream, body, { stop, pace: wish.pace, onProgress: wish.onProgress });
    // Where that is short of the length announced, the server knows that it is.
    stream.end();
  }
  const headers = await answer;
  wish.onProgress();
  return {
    status: Number(headers[constants.HTTP2_HEADER_STATUS] ?? 0),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: stream,
  };
}
