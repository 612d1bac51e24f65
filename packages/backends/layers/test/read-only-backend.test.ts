import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError, type RepositoryFile } from "@comeback/core";
import { MemoryBackend, SeededRandom } from "@comeback/testkit";
import { ReadOnlyBackend } from "../src/index.ts";

const random = new SeededRandom(41);

test("what would change the store is refused, locks and thaws included", async () => {
  const thawed: string[] = [];
  const memory = Object.assign(new MemoryBackend(), {
    archive: {
      tiers: () => [],
      async *states(names: Iterable<string>) {
        for (const name of names) {
          yield { name, sizeBytes: 1, state: "archived", storageClass: "DEEP" } as const;
        }
      },
      thaw: async (name: string) => void thawed.push(name),
    },
    retention: { lockedUntilMs: async () => 7, extend: async () => void thawed.push("locked") },
    leftOvers: async () => [
      { path: "a", sizeBytes: 1, modifiedMs: 2, remove: async () => void thawed.push("removed") },
    ],
  });
  const lock: RepositoryFile = { type: "lock", name: random.hex(32) };
  const data = random.bytes(10);
  await memory.save(lock, data);
  const backend = new ReadOnlyBackend(memory);
  const isRefused = (error: unknown): boolean => isComebackError(error, "backend.read-only");
  await assert.rejects(backend.save({ type: "lock", name: random.hex(32) }, data), isRefused);
  await assert.rejects(backend.remove(lock), isRefused);
  const { archive, retention } = backend;
  assert.ok(archive !== undefined && retention !== undefined);
  await assert.rejects(archive.thaw(lock.name, { tier: "Bulk", days: 1 }), isRefused);
  await assert.rejects(retention.extend(lock, 9), isRefused);
  const leftOvers = await backend.leftOvers?.();
  assert.equal(leftOvers?.length, 1);
  await assert.rejects(leftOvers[0]!.remove(), isRefused);
  assert.deepEqual(thawed, []);

  assert.deepEqual(await backend.load(lock), data);
  assert.deepEqual(await backend.stat(lock), { sizeBytes: 10 });
  assert.equal((await Array.fromAsync(backend.list("lock"))).length, 1);
  assert.equal((await Array.fromAsync(archive.states(["a"]))).length, 1);
  assert.deepEqual(archive.tiers("DEEP"), []);
  assert.equal(await retention.lockedUntilMs(lock), 7);
});
