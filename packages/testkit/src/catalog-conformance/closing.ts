import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { makeRun, type MakeCatalog } from "./fixture.ts";

export function testClosing(make: MakeCatalog): void {
  test("closing waits for what is under way, and refuses every later call", async () => {
    await using fixture = await make();
    const store = await fixture.another();
    const saved = store.saveRun(makeRun({ id: "a" }));
    await store[Symbol.asyncDispose]();
    await saved;
    const isClosed = (error: unknown): boolean => isComebackError(error, "catalog.unusable");
    await assert.rejects(store.saveRun(makeRun({ id: "b" })), isClosed);
    await assert.rejects(store.listRuns({ limit: 1 }), isClosed);
    await store[Symbol.asyncDispose]();
    assert.equal((await fixture.store.listRuns({ limit: 9 })).length, 1);
  });
}
