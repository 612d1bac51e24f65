import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Backend, OpenBackendOptions, RepositoryFile } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { openRest } from "../src/open-store.ts";
import { restStore } from "../src/rest-factory.ts";
import { CALL_LIMITS } from "../src/stall-guard.ts";
import type { CallLimits } from "../src/stall-guard.ts";

export const V2 = "application/vnd.x.restic.rest.v2";
export const PACK: RepositoryFile = { type: "pack", name: "ab".repeat(32) };

/** Answers as it likes. The config is there, so that a repository can be opened. */
export type Behave = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface Hostile extends AsyncDisposable {
  readonly backend: Backend;
  readonly port: number;
  /** "GET /data/" and so on, in the order in which they came, without the config. */
  readonly seen: readonly string[];
  /** How many connections were made to it. */
  connections(): number;
}

export interface HostileOptions extends OpenBackendOptions {
  readonly limits?: Partial<CallLimits>;
  /** `user:password@`, before the host. */
  readonly login?: string;
  /** By default the config is always there. */
  readonly hasConfig?: () => boolean;
}

/** A server that answers in a wrong way, and a backend that is open on it. */
export async function hostileServer(
  behave: Behave,
  options: HostileOptions = {},
): Promise<Hostile> {
  const { limits, login = "", hasConfig = () => true, ...rest } = options;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/config") {
      response.writeHead(hasConfig() ? 200 : 404, { "content-length": "155" });
      response.end(request.method === "HEAD" ? undefined : Buffer.alloc(155));
      return;
    }
    seen.push(`${request.method} ${request.url}`);
    void behave(request, response);
  });
  let connections = 0;
  server.on("connection", () => connections++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const location = `rest:http://${login}127.0.0.1:${port}/`;
  const open = { clock: systemClock, ...rest };
  const store = await restStore(location, open, { ...CALL_LIMITS, ...limits });
  const backend = await openRest(store, open);
  return {
    backend,
    port,
    seen,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await close(server);
    },
  };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Reads what was sent, as a well-behaved server does before it answers. */
export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
