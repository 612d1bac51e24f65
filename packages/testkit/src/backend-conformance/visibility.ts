import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkCreateOnly,
  checkListAfterWrite,
  checkNeverInPart,
  checkRemoval,
} from "@comeback/backend-layers/probe";
import { CONFIG, listAll, listedNames, NAMED_TYPES, newData, newFile, onStage } from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** Atomic, create-only, list after write, idempotent removal. */
export function testVisibility(make: MakeBackend): void {
  test("a name that is taken stays as it was", () => onStage(make, checkCreateOnly));

  test("lists show at once what was saved, to every client", () =>
    onStage(make, checkListAfterWrite));

  test("lists show what was saved, by type, with sizes", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const type of NAMED_TYPES) {
      await fixture.plantForeignFile?.(type);
      assert.deepEqual(await listAll(backend, type), []);
      const expected = new Map<string, number>();
      for (let i = 0; i < 40; i++) {
        const file = newFile(type);
        await backend.save(file, newData(i));
        expected.set(file.name, i);
      }
      const listed = await listAll(backend, type);
      assert.equal(listed.length, expected.size);
      for (const { name, sizeBytes } of listed) assert.equal(expected.get(name), sizeBytes);
    }
  });

  test("the config is listed once it is there", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    assert.deepEqual(await listAll(backend, "config"), []);
    await backend.save(CONFIG, newData(155));
    assert.deepEqual(await listAll(backend, "config"), [{ name: "", sizeBytes: 155 }]);
  });

  test("a list may be left early", async () => {
    await using fixture = await make();
    for (let i = 0; i < 5; i++) await fixture.backend.save(newFile(), newData(5));
    let seen = 0;
    for await (const file of fixture.backend.list("pack")) {
      assert.equal(file.sizeBytes, 5);
      if (++seen === 2) break;
    }
    assert.equal((await listAll(fixture.backend, "pack")).length, 5);
  });

  testRemoval(make);
  testNothingInPart(make);
}

function testRemoval(make: MakeBackend): void {
  test("removal is complete, idempotent, and frees the name", () => onStage(make, checkRemoval));

  test("removal leaves all other files alone", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const files = Array.from({ length: 20 }, () => newFile());
    for (const file of files) await backend.save(file, newData(10));
    for (const file of files.slice(0, 10)) await backend.remove(file);
    const expected = new Set(files.slice(10).map(({ name }) => name));
    assert.deepEqual(await listedNames(backend, "pack"), expected);
  });
}

function testNothingInPart(make: MakeBackend): void {
  test("a file is never seen in part while it is saved", () => onStage(make, checkNeverInPart));
}
