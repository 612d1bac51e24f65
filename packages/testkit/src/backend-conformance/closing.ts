import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSameBytes, listAll, MiB, newData, newFile, rejectsWith } from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** After disposal every call rejects, and what was under way has ended. */
export function testClosing(make: MakeBackend): void {
  test("a closed backend refuses every call", async () => {
    await using fixture = await make();
    const backend = await fixture.another();
    const file = newFile();
    await backend.save(file, newData(10));
    await backend[Symbol.asyncDispose]();
    await rejectsWith(backend.save(newFile(), newData(10)), "backend.closed");
    await rejectsWith(backend.load(file), "backend.closed");
    await rejectsWith(backend.stat(file), "backend.closed");
    await rejectsWith(backend.remove(file), "backend.closed");
    await rejectsWith(listAll(backend, "pack"), "backend.closed");
    await backend[Symbol.asyncDispose]();
    assert.deepEqual(await listAll(fixture.backend, "pack"), [{ name: file.name, sizeBytes: 10 }]);
  });

  test("closing waits for a save under way", async () => {
    await using fixture = await make();
    const backend = await fixture.another();
    const file = newFile();
    const data = newData(4 * MiB);
    let settled = false;
    const saved = backend.save(file, data).finally(() => {
      settled = true;
    });
    await backend[Symbol.asyncDispose]();
    assert.ok(settled, "the save was still under way");
    await saved;
    assertSameBytes(await fixture.backend.load(file), data, "the file saved while closing");
  });
}
