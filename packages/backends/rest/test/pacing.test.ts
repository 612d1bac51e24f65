import assert from "node:assert/strict";
import { test } from "node:test";
import { PACE_SLICE_MAX_BYTES, type TransferPace } from "@comeback/core";
import { hostileServer, PACK, readAll } from "./hostile-server.ts";

const DATA = Uint8Array.from({ length: 1_000_000 }, (_, at) => at % 251);

/** Lets everything through, and remembers it. */
function recording(): { readonly passed: number[]; readonly pace: TransferPace } {
  const passed: number[] = [];
  const pace: TransferPace = async (bytes) => void passed.push(bytes);
  return { passed, pace };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

test("an upload asks before each slice, and what arrives is whole", async () => {
  let stored: Buffer = Buffer.alloc(0);
  await using server = await hostileServer(async (request, response) => {
    if (request.method === "POST") stored = await readAll(request);
    response.writeHead(request.method === "POST" ? 200 : 404).end();
  });
  const { passed, pace } = recording();
  await server.backend.save(PACK, DATA, { pace });
  assert.ok(stored.equals(DATA));
  assert.equal(sum(passed), DATA.byteLength);
  assert.ok(Math.max(...passed) <= PACE_SLICE_MAX_BYTES);
});

test("a download asks for each piece before it reads on, and is whole", async () => {
  await using server = await hostileServer((_, response) => {
    response.writeHead(200, { "content-length": String(DATA.byteLength) }).end(DATA);
  });
  const { passed, pace } = recording();
  assert.ok(Buffer.from(await server.backend.load(PACK, { pace })).equals(DATA));
  assert.equal(sum(passed), DATA.byteLength);
  assert.ok(passed.length > 1);
});

test("who waits for the pace can be interrupted", async () => {
  await using server = await hostileServer(async (request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-length": String(DATA.byteLength) }).end(DATA);
      return;
    }
    await readAll(request).catch(() => undefined);
    response.writeHead(404).end();
  });
  for (const call of ["load", "save"] as const) {
    const stop = new AbortController();
    const { signal } = stop;
    const reason = new Error("enough");
    const pace: TransferPace = (_bytes, given) => {
      const waiting = new Promise<void>((_resolve, reject) => {
        given?.addEventListener("abort", () => reject(reason), { once: true });
      });
      setImmediate(() => stop.abort(reason));
      return waiting;
    };
    const made =
      call === "load"
        ? server.backend.load(PACK, { pace, signal })
        : server.backend.save(PACK, DATA, { pace, signal });
    await assert.rejects(made, reason, call);
  }
});
