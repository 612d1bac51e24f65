import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as sendRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ProxyTarget } from "./fault-proxy.ts";

export type HttpFault =
  /** The server is not asked; this is the answer. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection is gone before the server hears of anything. */
  | { readonly kind: "drop" }
  /** The server does its work, and the connection is gone before the answer. */
  | { readonly kind: "lost-answer" }
  /** Nothing comes, for as long as the client waits. */
  | { readonly kind: "no-answer" }
  /** The connection is gone after so many bytes of the answer's body. */
  | { readonly kind: "truncate"; readonly keepBytes: number }
  /** One bit of this byte of the answer's body is another. */
  | { readonly kind: "flip"; readonly atByte: number }
  /** The connection is gone once the server has so many bytes of the request's body. */
  | { readonly kind: "cut-upload"; readonly keepBytes: number }
  /** One bit of this byte of the request's body is another. */
  | { readonly kind: "flip-upload"; readonly atByte: number }
  /** The server is asked once this has happened. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  /** The server is asked later. */
  | { readonly kind: "delay"; readonly delayMs: number };

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
}

export interface StagedHttpFault {
  readonly fault: HttpFault;
  /** Only for such requests; default: all. */
  readonly match?: (request: SeenRequest) => boolean;
  /** Which of those that fit: the first (default), every one, or the n-th, counted from 1. */
  readonly when?: "once" | "always" | number;
}

/** Which fault a request meets, if any; asked once for each, in the order in which they come. */
export type HttpFaultChoice = (request: SeenRequest) => HttpFault | undefined;

/**
 * Stands between a client and an HTTP server on this machine, and gives requests that a test names
 * the answers that servers and networks give on a bad day. Names of hosts are passed on as the
 * client sent them, so that signed requests stay valid.
 */
export class HttpFaultProxy implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Those of which the body has come, too. */
  readonly wholeRequests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #staged: { readonly staged: StagedHttpFault; fitted: number }[] = [];
  #usual: HttpFaultChoice = () => undefined;

  private constructor({ port, host = "127.0.0.1" }: ProxyTarget) {
    this.#target = { host, port };
    this.#server = createServer((incoming, answer) => {
      this.#serve(incoming, answer).catch(() => answer.destroy());
    });
  }

  static async start(target: ProxyTarget): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stage(staged: StagedHttpFault): this {
    this.#staged.push({ staged, fitted: 0 });
    return this;
  }

  /** For requests that nothing was staged for; none meets a fault where nothing is given. */
  usually(choose: HttpFaultChoice = () => undefined): this {
    this.#usual = choose;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "" } = incoming;
    const seen = { method, url };
    this.requests.push(seen);
    incoming.once("end", () => this.wholeRequests.push(seen));
    const fault = this.#faultFor(seen);
    switch (fault?.kind) {
      case "answer":
        // A client that is still sending might not read an answer before its time.
        for await (const _ of incoming) void _;
        answer.writeHead(fault.status, fault.headers).end(fault.body ?? "");
        return;
      case "drop":
        incoming.socket.destroy();
        return;
      case "no-answer":
        incoming.resume();
        return;
      case "delay":
        await delay(fault.delayMs);
        return this.#forward(incoming, answer, undefined);
      case "hold":
        await fault.until;
        if (answer.destroyed) return;
        return this.#forward(incoming, answer, undefined);
      case "lost-answer":
      case "truncate":
      case "flip":
      case "cut-upload":
      case "flip-upload":
      case undefined:
        return this.#forward(incoming, answer, fault);
    }
  }

  #faultFor(seen: SeenRequest): HttpFault | undefined {
    let chosen: HttpFault | undefined;
    for (const entry of this.#staged) {
      const { match, when = 1, fault } = entry.staged;
      if (match !== undefined && !match(seen)) continue;
      entry.fitted++;
      const nth = when === "once" ? 1 : when;
      if (nth === "always" || nth === entry.fitted) chosen ??= fault;
    }
    return chosen ?? this.#usual(seen);
  }

  async #forward(
    incoming: IncomingMessage,
    answer: ServerResponse,
    fault: HttpFault | undefined,
  ): Promise<void> {
    const { method, url, rawHeaders: headers } = incoming;
    const outgoing = sendRequest({ ...this.#target, method, path: url, headers, agent: false });
    // A server that answers before it has read everything may break off; its answer counts.
    outgoing.on("error", () => {});
    sendUpload(incoming, outgoing, fault);
    incoming.once("close", () => {
      if (!incoming.complete) outgoing.destroy();
    });
    const [reply] = (await once(outgoing, "response")) as [IncomingMessage];
    if (fault?.kind === "lost-answer") {
      for await (const _ of reply) void _;
      incoming.socket.destroy();
      return;
    }
    answer.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
    answer.once("close", () => reply.destroy());
    let passed = 0;
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      if (fault?.kind === "flip" && fault.atByte >= passed) {
        const place = fault.atByte - passed;
        if (place < chunk.byteLength) chunk[place]! ^= 1;
      }
      if (fault?.kind === "truncate" && passed + chunk.byteLength >= fault.keepBytes) {
        answer.write(chunk.subarray(0, fault.keepBytes - passed), () => incoming.socket.destroy());
        return;
      }
      passed += chunk.byteLength;
      if (!answer.write(chunk)) await once(answer, "drain");
    }
    answer.end();
  }
}

/** Hands the request's body on. */
function sendUpload(
  incoming: IncomingMessage,
  outgoing: ClientRequest,
  fault: HttpFault | undefined,
): void {
  let passed = 0;
  if (fault?.kind === "flip-upload") {
    incoming.on("data", (chunk: Buffer) => {
      const place = fault.atByte - passed;
      if (place >= 0 && place < chunk.byteLength) chunk[place]! ^= 1;
      passed += chunk.byteLength;
    });
  }
  if (fault?.kind !== "cut-upload") {
    incoming.pipe(outgoing);
    return;
  }
  incoming.on("data", (chunk: Buffer) => {
    const kept = chunk.subarray(0, fault.keepBytes - passed);
    passed += kept.byteLength;
    outgoing.write(kept);
    if (passed < fault.keepBytes && !incoming.complete) return;
    incoming.socket.resetAndDestroy();
    outgoing.destroy();
  });
  // A body that is shorter than that, or none at all.
  incoming.on("end", () => {
    incoming.socket.resetAndDestroy();
    outgoing.destroy();
  });
}
