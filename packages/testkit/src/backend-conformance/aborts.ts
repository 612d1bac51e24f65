import assert from "node:assert/strict";
import { test } from "node:test";
import { abortAfterTurns, checkAbortedSave } from "@comeback/backend-layers/probe";
import {
  assertSameBytes,
  listAll,
  listedNames,
  MiB,
  newData,
  newFile,
  onStage,
} from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** Aborts: the caller's reason, and nothing left behind. */
export function testAborts(make: MakeBackend): void {
  test("a call that is aborted before it starts does nothing", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const [stored, file] = [newFile(), newFile()];
    await backend.save(stored, newData(100));
    const { signal, reason } = abortAfterTurns(0);
    await assert.rejects(backend.save(file, newData(9), { signal }), (error) => error === reason);
    await assert.rejects(backend.load(stored, { signal }), (error) => error === reason);
    await assert.rejects(backend.stat(stored, { signal }), (error) => error === reason);
    await assert.rejects(backend.remove(stored, { signal }), (error) => error === reason);
    await assert.rejects(listAll(backend, "pack", signal), (error) => error === reason);
    assert.deepEqual(await listedNames(backend, "pack"), new Set([stored.name]));
  });

  test("a save that is aborted in the middle leaves nothing, or had come through", async () => {
    let aborted = 0;
    await onStage(make, async (stage) => {
      for (const turns of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
        if (await checkAbortedSave(stage, { turns, sizeBytes: 8 * MiB })) aborted++;
      }
    });
    assert.ok(aborted > 0, "no abort was in time");
  });

  test("a load that is aborted in the middle says so", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const file = newFile();
    const data = newData(32 * MiB);
    await backend.save(file, data);
    for (const turns of [1, 2, 3, 5, 8, 13]) {
      const { signal, reason } = abortAfterTurns(turns);
      try {
        assertSameBytes(await backend.load(file, { signal }), data, "a load that came through");
      } catch (error) {
        assert.equal(error, reason);
      }
    }
    assertSameBytes(await backend.load(file), data, "the file after all aborts");
  });

  test("a list that is aborted in the middle says so", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (let i = 0; i < 200; i++) await backend.save(newFile("lock"), newData(1));
    const controller = new AbortController();
    const reason = new Error("enough");
    const walk = async (): Promise<void> => {
      for await (const file of backend.list("lock", { signal: controller.signal })) {
        if (file.sizeBytes === 1) controller.abort(reason);
      }
    };
    await assert.rejects(walk(), (error) => error === reason);
    assert.equal((await listAll(backend, "lock")).length, 200);
  });
}
