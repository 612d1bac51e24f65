import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostileServer, PACK, readAll } from "./hostile-server.ts";

const DATA = new Uint8Array(3_000_000).map((_, i) => (i * 7) % 253);

/** A store of one file that loses or garbles what a test wants it to. */
class OneFile {
  stored: Buffer | undefined;
  readonly #onPost: (body: Buffer, response: ServerResponse) => void;

  constructor(onPost: (this: OneFile, body: Buffer, response: ServerResponse) => void) {
    this.#onPost = onPost.bind(this);
  }

  readonly behave = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "POST") return this.#onPost(await readAll(request), response);
    if (request.method === "DELETE") this.stored = undefined;
    if (this.stored === undefined) {
      response.writeHead(request.method === "DELETE" ? 200 : 404).end();
      return;
    }
    const [, end] = /^bytes=0-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const length = { "content-length": this.stored.byteLength };
    const range = { "content-range": `bytes 0-${end}/${this.stored.byteLength}` };
    response.writeHead(end === undefined ? 200 : 206, { ...length, ...(end ? range : {}) });
    response.end(request.method === "HEAD" ? undefined : this.stored);
  };
}

test("a whole body comes with its length, and is what was given", async () => {
  let hash = "";
  const store = new OneFile((body, response) => {
    hash = createHash("sha256").update(body).digest("hex");
    response.end();
  });
  await using server = await hostileServer(store.behave);
  await server.backend.save(PACK, DATA);
  assert.equal(hash, createHash("sha256").update(DATA).digest("hex"));
});

test("where the answer is lost, a file that is there whole is saved", async () => {
  const store = new OneFile(function (body, response) {
    this.stored = body;
    response.destroy();
  });
  await using server = await hostileServer(store.behave);
  await server.backend.save(PACK, DATA);
  assert.deepEqual(store.stored, Buffer.from(DATA));
});

test("where the answer is lost, a part of the file is removed", async () => {
  const store = new OneFile(function (body, response) {
    this.stored = body.subarray(0, 1000);
    response.writeHead(500).end();
  });
  await using server = await hostileServer(store.behave);
  await assert.rejects(server.backend.save(PACK, DATA), { code: "backend.io", retryable: true });
  assert.equal(store.stored, undefined);
});

test("where the answer is lost, what others saved is left alone", async () => {
  const others = Buffer.from("something else");
  const store = new OneFile(function (_, response) {
    this.stored = others;
    response.destroy();
  });
  await using server = await hostileServer(store.behave);
  await assert.rejects(server.backend.save(PACK, DATA), { code: "backend.unreachable" });
  assert.equal(store.stored, others);
});

test("a server that refuses before it has read ends the upload", async () => {
  await using server = await hostileServer((request, response) => {
    if (request.method === "POST") response.writeHead(507).end("no space for you");
    else response.writeHead(404).end();
  });
  const saved = server.backend.save(PACK, new Uint8Array(40 << 20));
  await assert.rejects(saved, { code: "backend.full" });
});

test("403 for a name that is free is a refusal", async () => {
  await using server = await hostileServer(async (request, response) => {
    await readAll(request);
    response.writeHead(request.method === "POST" ? 403 : 404).end();
  });
  await assert.rejects(server.backend.save(PACK, DATA), { code: "backend.permission" });
});

test("403 for a name that somebody took meanwhile says that it is taken", async () => {
  const store = new OneFile(function (body, response) {
    this.stored = Buffer.concat([body, Buffer.from("more")]);
    response.writeHead(403).end();
  });
  await using server = await hostileServer(store.behave);
  await assert.rejects(server.backend.save(PACK, DATA), { code: "backend.exists" });
});

test("an abort ends the upload short, and waits for the server to have done with it", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let received = 0;
  await using server = await hostileServer(async (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(404).end();
      return;
    }
    request.on("data", (piece: Buffer) => {
      received += piece.byteLength;
      controller.abort(reason);
    });
    request.on("error", () => undefined);
  });
  const saved = server.backend.save(PACK, new Uint8Array(64 << 20), { signal: controller.signal });
  await assert.rejects(saved, (error) => error === reason);
  assert.ok(received < 64 << 20, "the whole file was sent");
});
