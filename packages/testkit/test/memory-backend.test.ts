import assert from "node:assert/strict";
import { test } from "node:test";
import { backendConformance, MemoryBackend } from "../src/index.ts";

backendConformance("memory", () => {
  const backend = new MemoryBackend();
  return Promise.resolve({
    backend,
    another: () => Promise.resolve(backend.sharing()),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  });
});

test("a clone is a store of its own", async () => {
  const file = { type: "pack", name: "a".repeat(64) } as const;
  const original = new MemoryBackend();
  await original.save(file, Uint8Array.of(1, 2, 3));
  const clone = original.clone();
  await original.remove(file);
  assert.deepEqual(await clone.load(file), Uint8Array.of(1, 2, 3));
  clone.overwrite(file, Uint8Array.of(9));
  assert.deepEqual(await clone.load(file), Uint8Array.of(9));
  assert.equal(original.contents().get("pack")?.size, 0);
  clone.contents().get("pack")?.get(file.name)?.fill(0);
  assert.deepEqual(await clone.load(file), Uint8Array.of(9));
});
