import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import type { ErrorCode, LoadOptions } from "@comeback/core";
import { type Behave, hostileServer, PACK } from "./hostile-server.ts";

const CONTENT = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

async function assertLoadFails(
  behave: Behave,
  range: LoadOptions,
  expected: { readonly code: ErrorCode; readonly says: RegExp; readonly retryable?: boolean },
): Promise<void> {
  await using server = await hostileServer((request, response) => {
    if (request.method !== "HEAD") return behave(request, response);
    response.writeHead(200, { "content-length": "1000" }).end();
    return undefined;
  });
  await assert.rejects(server.backend.load(PACK, range), (error: unknown) => {
    assert.ok(error instanceof ComebackError, String(error));
    assert.equal(error.code, expected.code);
    assert.match(`${error.message}: ${error.why}`, expected.says);
    if (expected.retryable !== undefined) assert.equal(error.retryable, expected.retryable);
    return true;
  });
}

const RANGE = { offset: 100, length: 50 };

test("a server that ignores ranges is told from one that answers them", async () => {
  const all: Behave = (_, response) => void response.end(CONTENT);
  const says = /sent the whole file instead of the range/;
  await assertLoadFails(all, RANGE, { code: "backend.io", says });
  await assertLoadFails(all, { length: 50 }, { code: "backend.io", says });
});

test("a whole file is a good answer where it is what was asked for", async () => {
  await using server = await hostileServer((_, response) => {
    response.writeHead(200, { "content-length": "1000" }).end(CONTENT);
  });
  assert.deepEqual(Buffer.from(await server.backend.load(PACK, { length: 1000 })), CONTENT);
});

test("another range than the one asked for is refused", async () => {
  for (const told of ["bytes 0-49/1000", "bytes 100-139/1000", "bytes 100-199/1000", "lines 1"]) {
    const behave: Behave = (_, response) => {
      response.writeHead(206, { "content-range": told, "content-length": "50" });
      response.end(CONTENT.subarray(0, 50));
    };
    await assertLoadFails(behave, RANGE, { code: "backend.io", says: /another range/ });
  }
});

test("a length that does not fit the range is refused", async () => {
  const behave: Behave = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 100-149/1000", "content-length": "40" });
    response.end(CONTENT.subarray(100, 140));
  };
  await assertLoadFails(behave, RANGE, { code: "backend.io", says: /another range/ });
});

test("a body that ends early is no file", async () => {
  const behave: Behave = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 100-149/1000", "content-length": "50" });
    response.write(CONTENT.subarray(100, 120), () => response.destroy());
  };
  const says = /broke off|did not come whole/;
  await assertLoadFails(behave, RANGE, { code: "backend.unreachable", says, retryable: true });
});

test("more bytes than announced are no file", async () => {
  const behave: Behave = (_, response) => {
    const head =
      "HTTP/1.1 206 OK\r\ncontent-length: 50\r\ncontent-range: bytes 100-149/1000\r\n\r\n";
    response.socket?.end(Buffer.concat([Buffer.from(head), CONTENT.subarray(100, 500)]));
  };
  await using server = await hostileServer(behave);
  const settled = await Promise.allSettled([server.backend.load(PACK, RANGE)]);
  // HTTP/1.1 ends a body where it was said to end: the rest belongs to no answer.
  const [first] = settled;
  if (first.status === "fulfilled") {
    assert.deepEqual(Buffer.from(first.value), CONTENT.subarray(100, 150));
  } else assert.ok(first.reason instanceof ComebackError);
});

test("a file without a length could end anywhere", async () => {
  const behave: Behave = (_, response) => {
    response.write(CONTENT.subarray(0, 500));
    response.end(CONTENT.subarray(500, 700));
  };
  await assertLoadFails(behave, {}, { code: "backend.io", says: /does not say how much/ });
});

test("a length that no memory holds is refused before it is taken", async () => {
  const behave: Behave = (_, response) => {
    response.writeHead(200, { "content-length": String(2 ** 45) });
    response.write(CONTENT);
  };
  await assertLoadFails(behave, {}, { code: "backend.io", says: /too large/ });
});

test("an announced gigabyte of which nothing comes takes no gigabyte", async () => {
  await using server = await hostileServer(
    (_, response) => {
      response.writeHead(200, { "content-length": String(2 ** 30) });
      response.write(CONTENT);
    },
    { limits: { idleMs: 100, connectMs: 100 } },
  );
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(server.backend.load(PACK), { code: "backend.unreachable" });
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26);
});

test("what is no HTTP at all is an error that may pass", async () => {
  const behave: Behave = (_, response) => void response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n");
  const says = /broke off/;
  await assertLoadFails(behave, {}, { code: "backend.unreachable", says, retryable: true });
});
