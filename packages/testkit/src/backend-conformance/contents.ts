import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRanges, checkRangesBeyondEnd, checkSizes } from "@comeback/backend-layers/probe";
import {
  assertSameBytes,
  CONFIG,
  MiB,
  NAMED_TYPES,
  newData,
  newFile,
  onStage,
  rejectsWith,
} from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

/** Whole or error: what was saved is what is loaded. */
export function testContents(make: MakeBackend): void {
  test("every type of file comes back as it was saved", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const file of [CONFIG, ...NAMED_TYPES.map((type) => newFile(type))]) {
      const data = newData(1000);
      await backend.save(file, data);
      assertSameBytes(await backend.load(file), data, file.type);
      assert.deepEqual(await backend.stat(file), { sizeBytes: 1000 });
    }
  });

  test("files of any size, from nothing to 32 MiB", () => onStage(make, checkSizes));

  test("a view into a larger buffer is saved as the view", async () => {
    await using fixture = await make();
    const file = newFile();
    const around = newData(1000);
    await fixture.backend.save(file, around.subarray(100, 300));
    assertSameBytes(await fixture.backend.load(file), around.subarray(100, 300), "view");
  });

  testRanges(make);
  testOwnership(make);

  test("a missing file is not found", async () => {
    await using fixture = await make();
    for (const file of [CONFIG, ...NAMED_TYPES.map((type) => newFile(type))]) {
      await rejectsWith(fixture.backend.load(file), "backend.not-found");
      await rejectsWith(fixture.backend.load(file, { offset: 3, length: 9 }), "backend.not-found");
      await rejectsWith(fixture.backend.load(file, { length: 0 }), "backend.not-found");
      await rejectsWith(fixture.backend.stat(file), "backend.not-found");
    }
  });
}

function testRanges(make: MakeBackend): void {
  test("ranges are exact", () => onStage(make, checkRanges));

  test("a range beyond the end is an error, however large", () =>
    onStage(make, checkRangesBeyondEnd));

  test("a range that is none is refused", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const file = newFile();
    await backend.save(file, newData(100));
    for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      await rejectsWith(backend.load(file, { offset: bad, length: 1 }), "option.invalid");
      await rejectsWith(backend.load(file, { length: bad }), "option.invalid");
    }
  });
}

function testOwnership(make: MakeBackend): void {
  test("what is loaded is the caller's own, and can be transferred", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const file = newFile();
    const data = newData(3000);
    await backend.save(file, data);
    for (const range of [{}, { offset: 10, length: 100 }]) {
      const first = await backend.load(file, range);
      assert.equal(first.byteOffset, 0);
      assert.equal(first.buffer.byteLength, first.byteLength);
      const expected = first.slice();
      first.fill(0);
      const second = await backend.load(file, range);
      assertSameBytes(second, expected, "the second load");
      const moved = structuredClone(second, { transfer: [second.buffer] });
      assertSameBytes(moved, expected, "the transferred load");
      assert.equal(second.byteLength, 0);
    }
  });

  test("data may be changed once save has settled", async () => {
    await using fixture = await make();
    const file = newFile();
    const data = newData(2 * MiB);
    const before = data.slice();
    await fixture.backend.save(file, data);
    data.fill(0);
    assertSameBytes(await fixture.backend.load(file), before, "the stored file");
  });
}
