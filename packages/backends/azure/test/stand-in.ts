import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Backend, Clock, OpenBackendOptions } from "@comeback/core";
import { azureBackendFactory } from "../src/index.ts";

export const KEY: string = Buffer.alloc(64, 7).toString("base64");
export const SIGNATURE = "fZ0VmQ9K/6mcV8l+Yt3dXA==";
export const SAS: string = new URLSearchParams({
  sv: "2024-08-04",
  sp: "rwdl",
  st: "2026-01-01T00:00:00Z",
  se: "2026-12-31T00:00:00Z",
  sig: SIGNATURE,
}).toString();

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Stands in for a storage account where no service can be brought to do what is wanted: it answers
 * as the documentation of the blob service says that one answers.
 */
export class StandIn implements AsyncDisposable {
  readonly requests: string[] = [];
  /** How it answers from now on; the config is there whatever it is. */
  answer: Answer = (_, response) => refuse(response, 404, "BlobNotFound");
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<StandIn> {
    const server = createServer();
    const standIn = new StandIn(server);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      standIn.requests.push(`${request.method} ${request.url}`);
      // What is sent is read, as the service does before it answers.
      request.resume().on("end", () => {
        if (request.method === "HEAD" && request.url?.includes("/config") === true) {
          respond(response, 200, new Uint8Array(0), { "content-length": "155" });
        } else standIn.answer(request, response);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/myaccount`;
  }

  open(env: Readonly<Record<string, string>> = {}, clock?: Clock): Promise<Backend> {
    const options: OpenBackendOptions = {
      env: { AZURE_ACCOUNT_NAME: "myaccount", ...env },
      settings: new Map([["endpoint", this.endpoint]]),
      ...(clock === undefined ? {} : { clock }),
    };
    return azureBackendFactory.open("azure:backups:/", options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export function respond(
  response: ServerResponse,
  status: number,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    "content-length": String(bytes.byteLength),
    "content-type": "application/octet-stream",
    etag: '"0x8DC"',
    "x-ms-request-id": "1",
    "x-ms-version": "2024-08-04",
    ...headers,
  });
  response.end(bytes);
}

/** As every refusal of the service: its name for it in a header and in the body. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.\nRequestId:1</Message></Error>`;
  respond(response, status, body, {
    "content-type": "application/xml",
    "x-ms-error-code": code,
    ...headers,
  });
}

export function md5(data: Uint8Array): string {
  return createHash("md5").update(data).digest("base64");
}
