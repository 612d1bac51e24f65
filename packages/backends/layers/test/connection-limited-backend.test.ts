import assert from "node:assert/strict";
import { test } from "node:test";
import type { RepositoryFile } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { ConnectionLimitedBackend } from "../src/index.ts";
import { GatedBackend, settle } from "./gated-backend.ts";

const random = new SeededRandom(31);

async function filled(count: number, type: "pack" | "lock" = "pack") {
  const inner = new GatedBackend();
  const files: RepositoryFile[] = Array.from({ length: count }, () => ({
    type,
    name: random.hex(32),
  }));
  for (const file of files) await inner.save(file, random.bytes(10));
  return { inner, files, names: files.map(({ name }) => name) };
}

test("so many calls at once, the others in their order", async () => {
  const { inner, files, names } = await filled(7);
  const backend = new ConnectionLimitedBackend(inner, 3);
  assert.equal(backend.connections, 3);
  const loads = Promise.all(files.map((file) => backend.load(file)));
  for (let done = 0; done <= 4; done++) {
    await settle();
    assert.deepEqual(inner.started, names.slice(0, 3 + done));
    inner.open();
  }
  for (let i = 0; i < 3; i++) inner.open();
  assert.equal((await loads).length, 7);
});

test("who waits may go away, and who fails makes room", async () => {
  const { inner, files, names } = await filled(3);
  const backend = new ConnectionLimitedBackend(inner, 1);
  const controller = new AbortController();
  const { signal } = controller;
  const first = backend.load({ type: "pack", name: "ab".repeat(32) });
  const second = backend.load(files[1]!, { signal });
  const third = backend.load(files[2]!);
  await settle();
  controller.abort(new Error("enough"));
  await assert.rejects(second, (error) => error === signal.reason);
  inner.open();
  await assert.rejects(first, /is not in memory/);
  await settle();
  inner.open();
  assert.equal((await third).byteLength, 10);
  assert.deepEqual(inner.started, ["ab".repeat(32), names[2]]);
});

test("a lock does not wait for packs", async () => {
  const { inner, files } = await filled(2);
  const backend = new ConnectionLimitedBackend(inner, 1);
  const loads = Promise.all(files.map((file) => backend.load(file)));
  await settle();
  const lock: RepositoryFile = { type: "lock", name: random.hex(32) };
  await backend.save(lock, random.bytes(5));
  await backend.remove(lock);
  assert.equal(inner.started.length, 1);
  inner.open();
  await settle();
  inner.open();
  await loads;
});

test("whoever loads while listing does not wait for itself", async () => {
  const { inner, files } = await filled(4);
  const backend = new ConnectionLimitedBackend(inner, 1);
  let loaded = 0;
  for await (const { name } of backend.list("pack")) {
    const load = backend.load({ type: "pack", name });
    await settle();
    inner.open();
    loaded += (await load).byteLength;
  }
  assert.equal(loaded, files.length * 10);
});

test("closing waits for a call that has not begun", async () => {
  const { inner, files } = await filled(2);
  const backend = new ConnectionLimitedBackend(inner, 1);
  const loads = Promise.all(files.map((file) => backend.load(file)));
  await settle();
  const closed = backend[Symbol.asyncDispose]();
  inner.open();
  await settle();
  inner.open();
  assert.equal((await loads).length, 2);
  await closed;
});
