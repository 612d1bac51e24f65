import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StandInRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A service as its documentation has it: what it answers to a request, right or wrong. */
export type StandInApi = (request: StandInRequest) => StandInAnswer;

/** A service on a port of the loopback interface that speaks an API, and can be told to fail. */
export class HttpStandIn implements AsyncDisposable {
  readonly #server: Server;
  readonly #api: StandInApi;
  readonly #next: (StandInAnswer | "silence")[] = [];
  #arrived: (() => void)[] = [];
  readonly requests: StandInRequest[] = [];

  private constructor(api: StandInApi) {
    this.#api = api;
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
  }

  static async start(api: StandInApi): Promise<HttpStandIn> {
    const standIn = new HttpStandIn(api);
    standIn.#server.listen(0, "127.0.0.1");
    await once(standIn.#server, "listening");
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next request gets this answer, or none at all. */
  answerNext(answer: StandInAnswer | "silence"): void {
    this.#next.push(answer);
  }

  /** Resolves when the next request has come in. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived.push(resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
    this.requests.push(request);
    const answer = this.#next.shift() ?? this.#api(request);
    if (answer !== "silence") {
      response.writeHead(answer.status, answer.headers ?? {});
      response.end(answer.body ?? "");
    }
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const resolve of arrived) resolve();
  }
}

/** A request that the service does not take, and why. */
export class BadRequest extends Error {}

export function expect(holds: boolean, why: string): asserts holds {
  if (!holds) throw new BadRequest(why);
}

/** An API that refuses with 400 what a check in it does not take. */
export function strictly(api: StandInApi): StandInApi {
  return (request) => {
    try {
      return api(request);
    } catch (error) {
      if (error instanceof BadRequest) return { status: 400, body: error.message };
      throw error;
    }
  };
}

/** The JSON body of a POST, with exactly these fields; `?` marks those that may be missing. */
export function jsonBody(
  { method, headers, body }: StandInRequest,
  fields: readonly string[],
): Readonly<Record<string, unknown>> {
  expect(method === "POST", `${method} is not POST`);
  const type = headers["content-type"] ?? "";
  expect(/^application\/json\b/.test(type), `the content type is ${type}`);
  return knownFields(JSON.parse(body), fields);
}

export function knownFields(
  given: unknown,
  fields: readonly string[],
): Readonly<Record<string, unknown>> {
  expect(typeof given === "object" && given !== null, "this is no object");
  const known = fields.map((field) => field.replace(/\?$/, ""));
  for (const key of Object.keys(given)) expect(known.includes(key), `unknown field ${key}`);
  for (const field of fields) {
    expect(field.endsWith("?") || Object.hasOwn(given, field), `the field ${field} is missing`);
  }
  return given as Record<string, unknown>;
}

export function textOf(value: unknown, what: string, max: number): string {
  expect(typeof value === "string", `${what} is no text`);
  expect(value.length > 0, `${what} is empty`);
  expect(value.length <= max, `${what} has ${value.length} characters, and may have ${max}`);
  return value;
}

export function listOf(value: unknown, what: string, max: number): readonly unknown[] {
  expect(Array.isArray(value), `${what} is no list`);
  expect(value.length <= max, `${what} has ${value.length} members, and may have ${max}`);
  return value;
}
