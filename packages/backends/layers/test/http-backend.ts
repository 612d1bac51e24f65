import { Agent, type IncomingMessage, request as sendRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  type Backend,
  ComebackError,
  FILE_TYPES,
  fileExists,
  fileNotFound,
  fileTooShort,
  type FileType,
  type ListedFile,
  type LoadOptions,
  messageOf,
  type OperationOptions,
  pacedSlices,
  type RepositoryFile,
  type SaveOptions,
  type TransferPace,
} from "@comeback/core";

interface Request {
  readonly method: string;
  readonly path: string;
  readonly file: RepositoryFile;
  readonly signal?: AbortSignal | undefined;
  readonly body?: Uint8Array;
  readonly pace?: TransferPace | undefined;
  readonly range?: string;
  readonly wantedEnd?: number;
}

interface Answer {
  readonly sizeBytes: number;
  readonly body: Buffer;
}

/** The client of `HttpStore`; keeps to a pace as adapters should. */
export class HttpBackend implements Backend {
  readonly location: string;
  readonly connections: number = 4;
  readonly isRemote: boolean = true;
  readonly listLagMs: number = 0;
  readonly pacesTransfers: boolean = true;
  readonly #port: number;
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(port: number) {
    this.#port = port;
    this.location = `http://127.0.0.1:${port}/`;
  }

  async save(
    file: RepositoryFile,
    data: Uint8Array,
    { signal, pace }: SaveOptions = {},
  ): Promise<void> {
    await this.#send({ method: "PUT", path: pathOf(file), file, signal, pace, body: data });
  }

  async load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertRepositoryFile(file);
    assertLoadRange(options);
    const { offset = 0, length, signal, pace } = options;
    const range = `${offset}+${length ?? ""}`;
    const wantedEnd = offset + (length ?? 0);
    const request = { method: "GET", path: pathOf(file), file, signal, pace, range, wantedEnd };
    const { body } = await this.#send(request);
    if (length !== undefined && body.byteLength !== length) throw cutOff("the answer is too short");
    return new Uint8Array(body);
  }

  async stat(
    file: RepositoryFile,
    { signal }: OperationOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const request = { method: "HEAD", path: pathOf(file), file, signal };
    const { sizeBytes } = await this.#send(request);
    return { sizeBytes };
  }

  async remove(file: RepositoryFile, { signal }: OperationOptions = {}): Promise<void> {
    await this.#send({ method: "DELETE", path: pathOf(file), file, signal });
  }

  async *list(type: FileType, { signal }: OperationOptions = {}): AsyncGenerator<ListedFile> {
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    const file: RepositoryFile = { type, name: type === "config" ? "" : "0".repeat(64) };
    const path = type === "config" ? "/config/?list" : `/${type}/`;
    const { body } = await this.#send({ method: "GET", path, file, signal });
    for (const listed of JSON.parse(body.toString()) as ListedFile[]) {
      signal?.throwIfAborted();
      yield listed;
    }
    signal?.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    this.#agent.destroy();
  }

  async #send(request: Request): Promise<Answer> {
    assertRepositoryFile(request.file);
    if (this.#closed) throw backendClosed(this.location);
    request.signal?.throwIfAborted();
    const answer = this.#exchange(request);
    this.#underWay.add(answer);
    try {
      return await answer;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw error instanceof ComebackError ? error : cutOff(messageOf(error));
    } finally {
      this.#underWay.delete(answer);
    }
  }

  async #exchange({ method, path, file, signal, body, pace, range, wantedEnd }: Request) {
    const outgoing = sendRequest({
      host: "127.0.0.1",
      port: this.#port,
      agent: this.#agent,
      method,
      path,
      headers: {
        ...(range === undefined ? {} : { "x-range": range }),
        ...(body === undefined ? {} : { "content-length": body.byteLength }),
      },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve).once("error", reject);
    });
    answered.catch(() => {});
    // Once all of a file is sent it will be stored: then only the answer says what became of it.
    const onAbort = (): void => {
      if (body === undefined || !outgoing.writableFinished) outgoing.destroy();
    };
    signal?.addEventListener("abort", onAbort);
    outgoing.once("close", () => signal?.removeEventListener("abort", onAbort));
    if (body !== undefined && pace !== undefined) {
      await pipeline(Readable.from(pacedSlices(body, pace, signal)), outgoing);
    } else outgoing.end(body);
    const incoming = await answered;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      await pace?.(chunk.byteLength, signal);
    }
    const { statusCode = 0, headers } = incoming;
    if (statusCode === 404) throw fileNotFound(file, this.location);
    if (statusCode === 412) throw fileExists(file, this.location);
    if (statusCode === 416) throw fileTooShort(file, wantedEnd ?? 0);
    if (statusCode !== 200) throw busy(statusCode, headers["retry-after"]);
    return { sizeBytes: Number(headers["x-size"] ?? 0), body: Buffer.concat(chunks) };
  }
}

function pathOf({ type, name }: RepositoryFile): string {
  return `/${String(type)}/${name}`;
}

function cutOff(why: string): ComebackError {
  return new ComebackError("backend.io", "the connection broke", { why, retryable: true });
}

function busy(status: number, retryAfter: string | undefined): ComebackError {
  return new ComebackError("backend.busy", `the server answered ${status}`, {
    retryable: true,
    context: { status, retryAfterMs: Number(retryAfter ?? 0) * 1000 },
  });
}
