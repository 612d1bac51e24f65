import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { s3BackendFactory } from "../src/index.ts";
import { BUCKET, ENV, standInFixture } from "./stand-in-fixture.ts";

const MiB = 1024 * 1024;
const PACK = { type: "pack", name: "ab".repeat(32) } as const;

test("an upload in parts that fails leaves no part behind", async () => {
  await using fixture = await standInFixture({
    tuning: { singlePutMaxBytes: MiB, partBytes: 5 * MiB },
  });
  const { backend, store } = fixture;
  store.stage({ status: 500, code: "InternalError", method: "PUT", url: "partNumber=2" });
  await assert.rejects(backend.save(PACK, new Uint8Array(12 * MiB)), (error) =>
    isComebackError(error, "backend.io"),
  );
  assert.equal(store.bucket(BUCKET)?.uploads.size, 0);
  assert.equal(store.bucket(BUCKET)?.objects.size, 0);
  await backend.save(PACK, new Uint8Array(12 * MiB));
  assert.deepEqual(await backend.stat(PACK), { sizeBytes: 12 * MiB });
  assert.equal(store.bucket(BUCKET)?.uploads.size, 0);
});

test("every body is signed, and no checksum is sent that older stores do not know", async () => {
  await using fixture = await standInFixture();
  const { backend, store } = fixture;
  await backend.save(PACK, new Uint8Array(3 * MiB));
  const put = store.requests.at(-1);
  assert.match(String(put?.headers["x-amz-content-sha256"]), /^[0-9a-f]{64}$/);
  assert.equal(put?.headers["if-none-match"], "*");
  for (const name of ["x-amz-trailer", "x-amz-checksum-crc32", "expect", "content-encoding"]) {
    assert.equal(put?.headers[name], undefined, name);
  }
});

test("a store that follows conditional puts is not asked first, another one is", async () => {
  for (const isPutConditional of [true, false]) {
    await using fixture = await standInFixture({ store: { isPutConditional } });
    const { backend, store } = fixture;
    assert.equal(backend.isCreateAtomic, isPutConditional);
    const before = store.requests.length;
    await backend.save(PACK, new Uint8Array(9));
    const methods = store.requests.slice(before).map(({ method }) => method);
    assert.deepEqual(methods, isPutConditional ? ["PUT"] : ["HEAD", "PUT"]);
  }
});

const LOCK = { type: "lock", name: "cd".repeat(32) } as const;

test("the first lock tells whether a store follows conditional puts", async () => {
  for (const isPutConditional of [true, false]) {
    await using fixture = await standInFixture({ store: { isPutConditional } });
    const { location, store } = fixture;
    await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
    await using opened = await s3BackendFactory.open(location, { env: ENV });
    const before = store.requests.length;
    const lock = new Uint8Array(200).fill(7);
    await opened.save(LOCK, lock);
    // It is the caller's again.
    lock.fill(0);
    await opened.save(PACK, new Uint8Array(9));
    const methods = store.requests.slice(before).map(({ method }) => method);
    const forPack = isPutConditional ? ["PUT"] : ["HEAD", "PUT"];
    assert.deepEqual(methods, ["HEAD", "PUT", "PUT", ...forPack]);
    assert.equal(opened.isCreateAtomic, isPutConditional);
    assert.deepEqual(await opened.load(LOCK), new Uint8Array(200).fill(7));

    const another = { ...LOCK, name: "ce".repeat(32) };
    await opened.save(another, new Uint8Array(9));
    await assert.rejects(opened.save(another, new Uint8Array(9)), (error) =>
      isComebackError(error, "backend.exists"),
    );
  }
});

test("a lock that goes at once is not brought back by what it was used to find out", async () => {
  await using fixture = await standInFixture({ store: { isPutConditional: false } });
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
  const opened = await s3BackendFactory.open(fixture.location, { env: ENV });
  await opened.save(LOCK, new Uint8Array(9));
  await opened.remove(LOCK);
  await opened[Symbol.asyncDispose]();
  const methods = fixture.store.requests.slice(-3).map(({ method }) => method);
  assert.deepEqual(methods, ["PUT", "PUT", "DELETE"]);
});

test("with versions that are removed one by one, no lock gets a second one", async () => {
  await using fixture = await standInFixture();
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
  const settings = new Map([["object-lock", "governance:1"]]);
  await using opened = await s3BackendFactory.open(fixture.location, { env: ENV, settings });
  const before = fixture.store.requests.length;
  await opened.save(LOCK, new Uint8Array(9));
  await opened.save(PACK, new Uint8Array(9));
  const methods = fixture.store.requests.slice(before).map(({ method }) => method);
  assert.deepEqual(methods, ["HEAD", "PUT", "HEAD", "PUT"]);
});

test("a try that fails tells nothing, and the next lock is another one", async () => {
  await using fixture = await standInFixture();
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));
  await using opened = await s3BackendFactory.open(fixture.location, { env: ENV });
  const { store } = fixture;
  await opened.save(LOCK, new Uint8Array(9));
  // It is on its way, and the store has not seen it yet.
  store.stage({ status: 500, code: "InternalError", method: "PUT" });
  await opened.save(PACK, new Uint8Array(9));
  assert.equal(opened.isCreateAtomic, false);
  await opened.save({ ...LOCK, name: "ce".repeat(32) }, new Uint8Array(9));
  await opened.save({ ...PACK, name: "ce".repeat(32) }, new Uint8Array(9));
  assert.equal(opened.isCreateAtomic, true);
});

test("the config is read once by whoever opens the repository, and anew after that", async () => {
  await using fixture = await standInFixture();
  const config = { type: "config", name: "" } as const;
  await fixture.backend.save(config, new Uint8Array(5).fill(1));
  await using opened = await s3BackendFactory.open(fixture.location, { env: ENV });
  const gets = (): number => fixture.store.requests.filter(({ method }) => method === "GET").length;
  const before = gets();
  assert.deepEqual(await opened.load(config), new Uint8Array(5).fill(1));
  assert.equal(gets(), before);
  assert.deepEqual(await opened.load(config), new Uint8Array(5).fill(1));
  assert.equal(gets(), before + 1);

  await using changing = await s3BackendFactory.open(fixture.location, { env: ENV });
  await changing.remove(config);
  await assert.rejects(changing.load(config), (error) =>
    isComebackError(error, "backend.not-found"),
  );
});

test("a store that refuses the condition as unknown is written to without it", async () => {
  await using fixture = await standInFixture({ store: { isPutConditional: false } });
  await fixture.backend.save({ type: "config", name: "" }, new Uint8Array(5));

  await using opened = await s3BackendFactory.open(fixture.location, { env: ENV });
  fixture.store.stage({ status: 501, code: "NotImplemented", method: "PUT" });
  await opened.save(PACK, new Uint8Array(9));
  assert.equal(fixture.store.requests.at(-1)?.headers["if-none-match"], undefined);
  assert.deepEqual(await opened.stat(PACK), { sizeBytes: 9 });
});

test("of two conditional puts at once the one that lost sees whose the name is", async () => {
  await using fixture = await standInFixture();
  const { backend, store } = fixture;
  store.stage({ status: 409, code: "ConditionalRequestConflict", method: "PUT" });
  await assert.rejects(
    backend.save(PACK, new Uint8Array(9)),
    (error) => isComebackError(error, "backend.busy") && error.retryable,
  );
  await backend.save(PACK, new Uint8Array(9));
  store.stage({ status: 409, code: "ConditionalRequestConflict", method: "PUT" });
  await assert.rejects(backend.save(PACK, new Uint8Array(9)), (error) =>
    isComebackError(error, "backend.exists"),
  );
});

test("a rate is asked for every part of a transfer", async () => {
  await using fixture = await standInFixture();
  const { backend } = fixture;
  let paced = 0;
  const pace = (bytes: number): Promise<void> => {
    paced += bytes;
    return Promise.resolve();
  };
  await backend.save(PACK, new Uint8Array(MiB), { pace });
  assert.equal(paced, MiB);
  assert.equal((await backend.load(PACK, { pace })).byteLength, MiB);
  assert.equal(paced, 2 * MiB);
});
