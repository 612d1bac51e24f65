import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import type { Backend, RepositoryFile } from "@comeback/core";
import {
  assertAbsent,
  assertSameBytes,
  CONFIG,
  listAll,
  listedNames,
  MiB,
  NAMED_TYPES,
  newData,
  newFile,
  rejectsWith,
} from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** Atomic, create-only, list after write, idempotent removal. */
export function testVisibility(make: MakeBackend): void {
  test("a name that is taken stays as it was", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const file of [CONFIG, newFile("pack"), newFile("index")]) {
      const data = newData(500);
      await backend.save(file, data);
      await rejectsWith(backend.save(file, newData(700)), "backend.exists");
      await rejectsWith(backend.save(file, data), "backend.exists");
      assertSameBytes(await backend.load(file), data, file.type);
      assert.equal((await listAll(backend, file.type)).length, 1);
    }
  });

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
  test("removal is complete, idempotent, and frees the name", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const file of [CONFIG, ...NAMED_TYPES.map((type) => newFile(type))]) {
      await backend.remove(file);
      await backend.save(file, newData(300));
      await Promise.all([backend.remove(file), backend.remove(file)]);
      await assertAbsent(backend, file);
      await backend.remove(file);
      const again = newData(200);
      await backend.save(file, again);
      assertSameBytes(await backend.load(file), again, "the file saved anew");
    }
  });

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
  test("a file is never seen in part while it is saved", async () => {
    await using fixture = await make();
    await using other = await fixture.another();
    const file = newFile();
    const data = newData(32 * MiB);
    const state = { saving: true };
    const saved = fixture.backend.save(file, data).finally(() => {
      state.saving = false;
    });
    for (let looks = 0; state.saving; looks++) {
      await assertAbsentOrWhole(looks % 2 === 0 ? other : fixture.backend, file, data);
    }
    await saved;
    assertSameBytes(await other.load(file), data, "the file after save");
  });
}

async function assertAbsentOrWhole(
  backend: Backend,
  file: RepositoryFile,
  data: Uint8Array,
): Promise<void> {
  for await (const { name, sizeBytes } of backend.list(file.type)) {
    if (name === file.name) assert.equal(sizeBytes, data.byteLength);
  }
  try {
    assert.deepEqual(await backend.stat(file), { sizeBytes: data.byteLength });
    assertSameBytes(await backend.load(file), data, "a file that is there");
  } catch (error) {
    if (!isComebackError(error, "backend.not-found")) throw error;
  }
}
