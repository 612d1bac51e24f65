import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import {
  PACE_SLICE_MAX_BYTES,
  S3_ABORT_ANSWER_MAX_MS,
  S3_CONNECT_MAX_MS,
  S3_IDLE_MAX_MS,
  S3_SPARE_SOCKETS,
  S3_WRITE_SLICE_BYTES,
} from "@comeback/core";
import type { TransferPace } from "@comeback/core";
import type { TlsMaterial } from "./tls-material.ts";

/** Of the SDK's classes HttpRequest and HttpResponse what is used here: no package more for types. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
interface SdkAnswer {
  readonly response: {
    readonly statusCode: number;
    readonly reason: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: IncomingMessage;
  };
}

/** What a call is sent with, beside the command. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly pace?: TransferPace;
}

export interface HttpHandlerOptions {
  readonly connections: number;
  readonly tls: TlsMaterial;
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A connection on which nothing is heard for so long is given up; tests choose less. */
  readonly idleMaxMs?: number | undefined;
}

/**
 * HTTP for the SDK, on Node's own client. The SDK's own handler makes a new connection for every
 * upload that waits for "100 Continue", and cannot say whether a request that is aborted had been
 * sent. This one can: the last slice of a body is held back until all before it is on its way, so
 * that up to then an abort leaves nothing, and from then on the answer is waited for.
 */
export class HttpHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #idleMaxMs: number;

  constructor(options: HttpHandlerOptions) {
    const { connections, env, idleMaxMs = S3_IDLE_MAX_MS, tls } = options;
    this.#idleMaxMs = idleMaxMs;
    const agent = {
      keepAlive: true,
      maxSockets: connections + S3_SPARE_SOCKETS,
      proxyEnv: { ...env },
    };
    this.#http = new HttpAgent(agent);
    this.#https = new HttpsAgent({ ...agent, ...tls });
  }

  /** The SDK may set nothing of it. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** `options` are what `send` was called with; the SDK hands them on as they are. */
  async handle(sdkRequest: SdkRequest, options: object = {}): Promise<SdkAnswer> {
    const sending: SendOptions = options;
    const signal = sending.abortSignal;
    signal?.throwIfAborted();
    const request = this.#start(sdkRequest);
    const answer = answerOf(request);
    // It is awaited below; until then a failure must not count as one that nobody looks at.
    answer.catch(() => undefined);
    using guard = new RequestGuard(request, signal);
    try {
      await writeBody(request, bodyOf(sdkRequest), guard, sending);
      const response = await answer;
      guard.watchBody(response);
      const { statusCode = 0, statusMessage = "", headers } = response;
      return { response: { statusCode, reason: statusMessage, headers, body: response } };
    } catch (error) {
      request.destroy();
      throw error;
    }
  }

  #start(from: SdkRequest): ClientRequest {
    const isHttps = from.protocol === "https:";
    const options: RequestOptions = {
      method: from.method,
      // An address of IPv6 stands in brackets in a URL, and without them here.
      host: from.hostname.replace(/^\[(.*)\]$/, "$1"),
      ...(from.port === undefined ? {} : { port: from.port }),
      path: pathOf(from),
      headers: from.headers,
      timeout: this.#idleMaxMs,
    };
    const request = isHttps
      ? httpsRequest({ ...options, agent: this.#https })
      : httpRequest({ ...options, agent: this.#http });
    // Once an answer has begun, it is at its body that the failure is heard of.
    let over: ClientRequest | IncomingMessage = request;
    request.once("response", (response) => {
      over = response;
    });
    return request.on("timeout", () => {
      over.destroy(timeout(`nothing was heard for ${this.#idleMaxMs / 1000} s`));
    });
  }
}

function pathOf({ path, query }: SdkRequest): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) =>
      one === null || one === undefined
        ? encodeStrictly(name)
        : `${encodeStrictly(name)}=${encodeStrictly(one)}`,
    ),
  );
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}

/** As it was signed: also what `encodeURIComponent` leaves. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function bodyOf({ body }: SdkRequest): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError("the body of a request is bytes or text");
}

async function writeBody(
  request: ClientRequest,
  body: Uint8Array,
  guard: RequestGuard,
  options: SendOptions,
): Promise<void> {
  const { pace, abortSignal } = options;
  const sliceBytes = pace === undefined ? S3_WRITE_SLICE_BYTES : PACE_SLICE_MAX_BYTES;
  for (let done = 0; ; done += sliceBytes) {
    const slice = body.subarray(done, done + sliceBytes);
    await pace?.(slice.byteLength, abortSignal);
    if (guard.isOver) return;
    if (done + sliceBytes >= body.byteLength) {
      if (body.byteLength > 0) guard.commit();
      request.end(slice);
      return;
    }
    if (!request.write(slice)) await guard.drained();
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
    // Node closes a request that was destroyed without an error silently.
    request.once("close", () => reject(new Error("the connection was closed without an answer")));
  });
}

/** Ends a request that takes too long or is not wanted any more. */
class RequestGuard implements Disposable {
  readonly #request: ClientRequest;
  readonly #signal: AbortSignal | undefined;
  readonly #connecting: NodeJS.Timeout;
  #lateAbort: NodeJS.Timeout | undefined;
  #isCommitted = false;
  #hasAnswer = false;

  constructor(request: ClientRequest, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
    this.#connecting = setTimeout(() => {
      request.destroy(timeout(`no connection within ${S3_CONNECT_MAX_MS / 1000} s`));
    }, S3_CONNECT_MAX_MS);
    request.once("response", () => {
      this.#hasAnswer = true;
    });
    request.once("socket", (socket) => {
      const connected = (): void => clearTimeout(this.#connecting);
      if (socket.connecting) socket.once("connect", connected);
      else connected();
    });
  }

  /** There is an answer, or there will be none: more of the body is of no use. */
  get isOver(): boolean {
    return this.#request.destroyed || this.#hasAnswer;
  }

  /** From here on the server may have all of it. */
  commit(): void {
    this.#isCommitted = true;
  }

  drained(): Promise<void> {
    const request = this.#request;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ["drain", "close", "response"]) request.removeListener(event, done);
        resolve();
      };
      for (const event of ["drain", "close", "response"]) request.once(event, done);
      if (this.isOver) done();
    });
  }

  /** An abort from now on ends the reading of the answer, but for what is done already. */
  watchBody(response: IncomingMessage): void {
    if (this.#isCommitted) return;
    const abort = (): void => {
      response.destroy(this.#reason());
    };
    this.#signal?.addEventListener("abort", abort, { once: true });
    response.once("close", () => this.#signal?.removeEventListener("abort", abort));
    if (this.#signal?.aborted === true) abort();
  }

  readonly #onAbort = (): void => {
    if (this.#hasAnswer) return;
    if (!this.#isCommitted) this.#request.destroy(this.#reason());
    else {
      this.#lateAbort = setTimeout(() => {
        this.#request.destroy(this.#reason());
      }, S3_ABORT_ANSWER_MAX_MS);
    }
  };

  #reason(): Error {
    const reason: unknown = this.#signal?.reason;
    return reason instanceof Error ? reason : new Error("aborted");
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#connecting);
    clearTimeout(this.#lateAbort);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

function timeout(why: string): Error {
  return Object.assign(new Error(why), { code: "ETIMEDOUT" });
}
