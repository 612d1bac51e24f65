import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import type { Clock, RepositoryFile } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import {
  backendConformance,
  FaultProxy,
  type HttpFault,
  HttpFaultProxy,
  SeededRandom,
} from "@comeback/testkit";
import { type RetryNotice, stackLayers } from "../src/index.ts";
import { HttpBackend } from "./http-backend.ts";
import { HttpStore } from "./http-store.ts";

const random = new SeededRandom(101);
const KiB = 1024;

/** Pauses of seconds pass at once: what is tried here is what happens around them. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  sleep: (_, signal) => systemClock.sleep(1, signal),
};

backendConformance("the whole stack over HTTP, through a proxy", async () => {
  const store = await HttpStore.start();
  const proxy = await FaultProxy.start(store);
  const open = () => stackLayers(new HttpBackend(proxy.port), { clock: systemClock, random });
  const backend = open();
  return {
    backend,
    another: async () => open(),
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
});

interface Stored {
  readonly file: RepositoryFile;
  readonly data: Uint8Array<ArrayBuffer>;
}

function newPack(sizeBytes: number): Stored {
  const data = random.bytes(sizeBytes);
  return { file: { type: "pack", name: hash("sha256", data, "hex") }, data };
}

test("servers that are overloaded, and answers that get lost, cost time and nothing else", async () => {
  await using store = await HttpStore.start();
  await using proxy = await HttpFaultProxy.start(store);
  const notices: RetryNotice[] = [];
  const retryObserver = { onRetry: (notice: RetryNotice) => void notices.push(notice) };
  await using backend = stackLayers(new HttpBackend(proxy.port), {
    clock: hastyClock,
    random,
    retryObserver,
  });
  const faults: readonly HttpFault[] = [
    { kind: "answer", status: 503, headers: { "retry-after": "7" } },
    { kind: "answer", status: 500 },
    { kind: "answer", status: 429 },
    { kind: "drop" },
    { kind: "lost-answer" },
    { kind: "truncate", keepBytes: 100 },
  ];
  for (const fault of faults) {
    for (const method of ["PUT", "GET", "HEAD", "DELETE"]) {
      proxy.stage({ fault, match: (request) => request.method === method });
      const { file, data } = newPack(50 * KiB);
      await backend.save(file, data);
      assert.deepEqual(await store.memory.load(file), data, `${fault.kind} ${method}`);
      assert.deepEqual(await backend.load(file), data, `${fault.kind} ${method}`);
      assert.deepEqual(await backend.stat(file), { sizeBytes: data.byteLength });
      await backend.remove(file);
      assert.equal((await Array.fromAsync(backend.list("pack"))).length, 0);
    }
  }
  assert.ok(notices.length >= 20, `${notices.length}`);
  assert.equal(notices[0]?.pauseMs, 7_000);
});

test("connections that break anywhere lose nothing, tear nothing, store nothing twice", async () => {
  await using store = await HttpStore.start();
  await using proxy = await FaultProxy.start(store);
  await using backend = stackLayers(new HttpBackend(proxy.port), { clock: hastyClock, random });
  const stored: Stored[] = [];
  for (let round = 0; round < 60; round++) {
    // The connection that is open is cut at some byte of this upload, or of the next ones.
    const bytes = random.integer(0, 300 * KiB);
    const fault = random.pick([
      { up: { resetAfterBytes: bytes } },
      { down: { resetAfterBytes: random.integer(0, 200) } },
      { up: { endAfterBytes: bytes } },
      { refuse: true } as const,
    ]);
    proxy.stage(fault);
    if (random.chance(50)) proxy.cutAll();
    const one = newPack(random.integer(0, 200 * KiB));
    await backend.save(one.file, one.data);
    stored.push(one);
  }
  proxy.cutAll();
  assert.ok(proxy.connectionsMade > 20, `${proxy.connectionsMade}`);
  const listed = await Array.fromAsync(backend.list("pack"));
  assert.equal(listed.length, stored.length);
  for (const { file, data } of stored) {
    proxy.stage({ down: { resetAfterBytes: random.integer(0, 100 * KiB) } });
    assert.equal(Buffer.compare(await backend.load(file), data), 0);
    assert.deepEqual(await store.memory.load(file), data);
  }
});

test("a rate holds at the wire", async () => {
  await using store = await HttpStore.start();
  await using proxy = await FaultProxy.start(store);
  const rate = 1000 * KiB;
  await using backend = stackLayers(new HttpBackend(proxy.port), {
    clock: systemClock,
    random,
    limits: { uploadBytesPerSecond: rate, downloadBytesPerSecond: rate },
  });
  const packs = [1, 2, 3].map(() => newPack(500 * KiB));
  const startMs = performance.now();
  const state = { saving: true };
  const saves = Promise.all(packs.map(({ file, data }) => backend.save(file, data))).finally(() => {
    state.saving = false;
  });
  while (state.saving) {
    const allowed = ((performance.now() - startMs) / 1000 + 0.1) * rate + 3 * 16 * KiB + 10 * KiB;
    assert.ok(proxy.passedBytes("up") <= allowed, "more was sent than the rate allows");
    await systemClock.sleep(20);
  }
  await saves;
  await Promise.all(packs.map(({ file }) => backend.load(file)));
  // Twice 1,500 KiB at 1,000 KiB a second.
  assert.ok(performance.now() - startMs >= 2_700, "all of it took less than the rate allows");
});
