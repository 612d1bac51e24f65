import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { KEY, md5, respond, StandIn } from "./stand-in.ts";

const PACK = { type: "pack", name: "ab".repeat(32) } as const;
const DATA = Buffer.from("0123456789");

test("what does not have the service's MD5 is refused, whole and in part", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open({ AZURE_ACCOUNT_KEY: KEY });
  const md5Of = { data: DATA };
  standIn.answer = (request, response) => {
    const range = /bytes=(\d+)-(\d+)/.exec(String(request.headers["x-ms-range"]));
    const headers = { "content-md5": md5(md5Of.data) };
    if (range === null) return respond(response, 200, DATA, headers);
    assert.equal(request.headers["x-ms-range-get-content-md5"], "true");
    const part = DATA.subarray(Number(range[1]), Number(range[2]) + 1);
    respond(response, 206, part, {
      ...headers,
      "content-range": `bytes ${range[1]}-${range[2]}/10`,
    });
  };
  assert.deepEqual(Buffer.from(await backend.load(PACK)), DATA);
  const isIo = (error: unknown): boolean => isComebackError(error, "backend.io") && error.retryable;
  await assert.rejects(backend.load(PACK, { offset: 2, length: 3 }), isIo);
  md5Of.data = Buffer.from("234");
  assert.equal(Buffer.from(await backend.load(PACK, { offset: 2, length: 3 })).toString(), "234");
  await assert.rejects(backend.load(PACK), isIo);
});

test("another range than was asked for is refused", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open({ AZURE_ACCOUNT_KEY: KEY });
  const isIo = (error: unknown): boolean => isComebackError(error, "backend.io");
  // As from something in between that knows no ranges.
  standIn.answer = (_, response) => respond(response, 200, DATA);
  await assert.rejects(backend.load(PACK, { offset: 2, length: 3 }), isIo);
  await assert.rejects(backend.load(PACK, { offset: 2, length: 10 }), isIo);
  await assert.rejects(backend.load(PACK, { length: 11 }), isIo);
  standIn.answer = (_, response) =>
    respond(response, 206, "345", { "content-range": "bytes 3-5/10" });
  await assert.rejects(backend.load(PACK, { offset: 2, length: 3 }), isIo);
});

test("an upload tells the service its MD5, to be checked and to be kept", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open({ AZURE_ACCOUNT_KEY: KEY });
  const seen: unknown[] = [];
  standIn.answer = (request, response) => {
    seen.push(request.headers["content-md5"], request.headers["x-ms-blob-content-md5"]);
    respond(response, 201, "");
  };
  await backend.save(PACK, DATA);
  assert.deepEqual(seen, [md5(DATA), md5(DATA)]);
});

test("every byte that is sent or received asks for its pace", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open({ AZURE_ACCOUNT_KEY: KEY });
  const data = Buffer.alloc(100_000, 1);
  const asked: number[] = [];
  const pace = (bytes: number): Promise<void> => {
    asked.push(bytes);
    return Promise.resolve();
  };
  const sum = (): number => asked.splice(0).reduce((total, bytes) => total + bytes, 0);
  assert.equal(backend.pacesTransfers, true);
  standIn.answer = (_, response) => respond(response, 201, "");
  await backend.save(PACK, data, { pace });
  assert.ok(asked.length > 1, "it was sent in one piece");
  assert.equal(sum(), data.byteLength);
  standIn.answer = (_, response) => respond(response, 200, data);
  await backend.load(PACK, { pace });
  assert.equal(sum(), data.byteLength);
  const reason = new Error("enough");
  const controller = new AbortController();
  standIn.answer = (_, response) => respond(response, 201, "");
  const stopped = backend.save(PACK, data, {
    signal: controller.signal,
    pace: () => {
      controller.abort(reason);
      return Promise.reject(reason);
    },
  });
  await assert.rejects(stopped, (error) => error === reason);
});
