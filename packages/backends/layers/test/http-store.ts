import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type FileType, isComebackError, type RepositoryFile } from "@comeback/core";
import { MemoryBackend } from "@comeback/testkit";

/** A store of our own behind HTTP, as small as can be: what the layers are tried on over a network. */
export class HttpStore implements AsyncDisposable {
  readonly memory: MemoryBackend = new MemoryBackend();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      serve(this.memory, request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<HttpStore> {
    const store = new HttpStore();
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

const STATUS: Readonly<Record<string, number>> = {
  "backend.exists": 412,
  "backend.not-found": 404,
  "backend.io": 416,
};

/** `/type/name`, and `/type/` for lists. */
async function serve(
  memory: MemoryBackend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, type = "", name = ""] = (request.url ?? "").split("/");
  const file: RepositoryFile = { type: type as FileType, name };
  const isList = request.method === "GET" && name === "" && type !== "config";
  try {
    if (isList || request.url === "/config/?list") {
      const files = await Array.fromAsync(memory.list(type as FileType));
      response.end(JSON.stringify(files));
      return;
    }
    const body = await answer(memory, file, request);
    if (typeof body === "number") response.writeHead(200, { "x-size": String(body) }).end();
    else response.end(body);
  } catch (error) {
    if (!isComebackError(error)) throw error;
    response.writeHead(STATUS[error.code] ?? 500).end(error.code);
  }
}

async function answer(
  memory: MemoryBackend,
  file: RepositoryFile,
  request: IncomingMessage,
): Promise<Uint8Array | number> {
  const { method, headers } = request;
  if (method === "GET") {
    const [offset, length] = String(headers["x-range"]).split("+");
    const range = length === "" ? {} : { length: Number(length) };
    return memory.load(file, { offset: Number(offset), ...range });
  }
  if (method === "HEAD") return (await memory.stat(file)).sizeBytes;
  if (method === "DELETE") await memory.remove(file);
  else {
    const data = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    // A request that was cut off has no end: the loop above fails, and nothing is stored.
    await memory.save(file, data);
  }
  return 0;
}
