import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { SecureContext } from "node:tls";
import { REST_KEEP_ALIVE_MS } from "@comeback/core";
import { sendBody } from "./send-body.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "./transport.ts";

/** Where a server listens: on a port, or on a socket of this machine. */
export interface ServerPlace {
  readonly isTls: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly socketPath?: string;
}

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly secureContext?: SecureContext;
}

/** HTTP/1.1 with connections that are kept. */
export class Http1Transport implements HttpTransport {
  readonly #place: ServerPlace;
  readonly #agent: HttpAgent;

  constructor(place: ServerPlace, tls: TlsOptions) {
    this.#place = place;
    const options = { keepAlive: true, timeout: REST_KEEP_ALIVE_MS };
    this.#agent = place.isTls ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#send(request);
    } catch (error) {
      // The server had closed an idle connection just as we took it: nothing was asked yet.
      const mayRepeat = request.method !== "POST" && !request.signal.aborted;
      if (!mayRepeat || !(error instanceof StaleConnection)) throw causeOf(error);
      return await this.#send(request).catch((again: unknown) => {
        throw causeOf(again);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }

  async #send(wish: HttpRequest): Promise<HttpAnswer> {
    wish.signal.throwIfAborted();
    const { isTls, hostname, port, socketPath } = this.#place;
    const options: RequestOptions = {
      agent: this.#agent,
      method: wish.method,
      path: wish.path,
      headers: wish.headers,
      ...(socketPath === undefined ? { hostname, port } : { socketPath }),
    };
    const request = isTls ? httpsRequest(options) : httpRequest(options);
    const closed = new Promise<void>((resolve) => request.once("close", resolve));
    const cut = (): void => void request.destroy(wish.signal.reason as Error);
    wish.signal.addEventListener("abort", cut, { once: true });
    try {
      tellProgress(request, isTls, wish.onProgress);
      return await exchange(request, wish);
    } catch (error) {
      request.destroy();
      // Only now is nobody reading from the body any more.
      await closed;
      wish.signal.throwIfAborted();
      throw request.reusedSocket ? new StaleConnection(error) : error;
    } finally {
      const detach = (): void => wish.signal.removeEventListener("abort", cut);
      if (request.destroyed) detach();
      else request.once("close", detach);
    }
  }
}

/** A failure on a connection that had been used before. */
class StaleConnection extends Error {
  constructor(cause: unknown) {
    super("a kept connection failed", { cause });
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof StaleConnection ? error.cause : error;
}

function tellProgress(request: ClientRequest, isTls: boolean, onProgress: () => void): void {
  request.once("socket", (socket) => {
    if (request.reusedSocket) onProgress();
    else socket.once(isTls ? "secureConnect" : "connect", onProgress);
  });
}

async function exchange(request: ClientRequest, wish: HttpRequest): Promise<HttpAnswer> {
  const answered = new AbortController();
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", (message) => {
      answered.abort();
      resolve(message);
    });
    // Stays: an error after the answer shows at the answer's body.
    request.on("error", reject);
  });
  // Awaited below; may fail before.
  answer.catch(() => undefined);
  const { body, breakOff } = wish;
  if (body === undefined) {
    request.end();
  } else {
    const stop = AbortSignal.any([answered.signal, ...(breakOff === undefined ? [] : [breakOff])]);
    const isWhole = await sendBody(request, body, {
      stop,
      pace: wish.pace,
      onProgress: wish.onProgress,
    });
    if (isWhole) request.end();
    else endShort(request, answer, answered.signal.aborted);
  }
  const message = await answer;
  wish.onProgress();
  return {
    status: message.statusCode ?? 0,
    header: (name) => headerOf(message, name),
    body: message,
  };
}

/**
 * Closes our direction of the connection: the server sees the end, and can still answer. The rest
 * of the body is owed, so that nothing else can be sent on this connection.
 */
function endShort(
  request: ClientRequest,
  answer: Promise<IncomingMessage>,
  isAnswered: boolean,
): void {
  if (!isAnswered) request.socket?.end();
  const cut = (message: IncomingMessage): void => {
    message.once("close", () => request.destroy());
  };
  void answer.then(cut, () => undefined);
}

function headerOf(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
