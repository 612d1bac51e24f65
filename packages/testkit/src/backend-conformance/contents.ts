import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../seeded-random.ts";
import {
  assertSameBytes,
  CONFIG,
  MiB,
  NAMED_TYPES,
  newData,
  newFile,
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

  test("files of any size, from nothing to 32 MiB", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const sizeBytes of [0, 1, 4095, 4096, 4097, 4 * MiB, 4 * MiB + 1, 32 * MiB]) {
      const file = newFile();
      const data = newData(sizeBytes);
      await backend.save(file, data);
      assertSameBytes(await backend.load(file), data, `${sizeBytes} bytes`);
      assert.deepEqual(await backend.stat(file), { sizeBytes });
    }
  });

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
  test("ranges are exact", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const file = newFile();
    const size = 5 * MiB + 17;
    const data = newData(size);
    await backend.save(file, data);
    const random = new SeededRandom(7);
    const ranges = [
      [0, 0],
      [0, 1],
      [0, size],
      [size - 1, 1],
      [size, 0],
      [MiB, 4 * MiB + 1],
    ];
    for (let i = 0; i < 30; i++) {
      const offset = random.integer(0, size);
      ranges.push([offset, random.integer(0, size - offset)]);
    }
    for (const [offset = 0, length = 0] of ranges) {
      const loaded = await backend.load(file, { offset, length });
      assertSameBytes(loaded, data.subarray(offset, offset + length), `${offset}+${length}`);
    }
    assertSameBytes(await backend.load(file, { offset: 99 }), data.subarray(99), "99 to the end");
    assertSameBytes(await backend.load(file, { length: 99 }), data.subarray(0, 99), "first 99");
    assertSameBytes(await backend.load(file, { offset: size }), new Uint8Array(0), "the end");
  });

  test("a range beyond the end is an error, however large", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    const file = newFile();
    await backend.save(file, newData(100));
    const ranges = [
      { offset: 0, length: 101 },
      { offset: 100, length: 1 },
      { offset: 101, length: 0 },
      { offset: 101 },
      { offset: 2 ** 40, length: 1 },
      { offset: 0, length: 2 ** 40 },
      { offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER },
    ];
    for (const range of ranges) await rejectsWith(backend.load(file, range), "backend.io");
  });

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
