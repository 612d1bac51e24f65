import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BlobLocation } from "../../src/index/blob-table.ts";
import { planRanges, type RangeLimits } from "../../src/restore/plan-ranges.ts";

const LIMITS: RangeLimits = { gapMaxBytes: 10, readMaxBytes: 100, usesMax: 4 };

/** Blobs by their number: pack, offset and length. */
function locator(
  blobs: readonly (readonly [number, number, number])[],
): (entry: number) => BlobLocation {
  return (entry) => {
    const [pack, offset, length] = blobs[entry] ?? [0, 0, 0];
    return { pack, offset, length, uncompressedLength: 0 };
  };
}

test("neighbours become one range, gaps and full ranges begin another", () => {
  const blobs = [
    [0, 0, 40],
    [0, 45, 40],
    [0, 90, 30],
    [0, 131, 5],
    [1, 0, 500],
  ] as const;
  const ranges = planRanges([4, 3, 2, 1, 0], undefined, locator(blobs), LIMITS);
  const shown = ranges.map(({ pack, offset, length }) => [pack, offset, length]);
  assert.deepEqual(shown, [
    [1, 0, 500],
    [0, 0, 85],
    [0, 90, 30],
    [0, 131, 5],
  ]);
});

test("a blob is in one range with all of its uses, until they are too many", () => {
  const blobs = [
    [0, 0, 10],
    [0, 10, 10],
  ] as const;
  const [first, ...others] = planRanges([0, 1, 0, 0], undefined, locator(blobs), LIMITS);
  assert.deepEqual(
    first?.blobs.map(({ uses }) => uses),
    [[0, 2, 3], [1]],
  );
  assert.deepEqual(others, []);
  const many = planRanges([0, 0, 0, 0, 0, 1], undefined, locator(blobs), LIMITS);
  assert.deepEqual(
    many.map((range) => range.blobs.map(({ uses }) => uses)),
    [[[0, 1, 2, 3]], [[4], [5]]],
  );
});

test("every use that is not kept is in exactly one range, which covers its blob (property)", () => {
  const blob = fc.tuple(fc.nat(3), fc.nat(400), fc.integer({ min: 1, max: 150 }));
  const plan = fc.record({
    blobs: fc.array(blob, { minLength: 1, maxLength: 20 }),
    picks: fc.array(fc.tuple(fc.nat(19), fc.boolean()), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(plan, ({ blobs, picks }) => {
      const entries = picks.map(([pick]) => pick % blobs.length);
      const isKept = Uint8Array.from(picks, ([, kept]) => (kept ? 1 : 0));
      const ranges = planRanges(entries, isKept, locator(blobs), LIMITS);
      const seen: number[] = [];
      for (const range of ranges) {
        let uses = 0;
        for (const { entry, location, uses: own } of range.blobs) {
          assert.equal(location.pack, range.pack);
          assert.ok(location.offset >= range.offset);
          assert.ok(location.offset + location.length <= range.offset + range.length);
          assert.ok(own.every((use) => entries[use] === entry));
          uses += own.length;
          seen.push(...own);
        }
        assert.ok(uses <= LIMITS.usesMax);
        // Blobs of a hostile index overlap; one that is larger than a range stands for itself.
        const longest = Math.max(...range.blobs.map(({ location }) => location.length));
        assert.ok(range.length <= Math.max(LIMITS.readMaxBytes, longest));
      }
      const wanted = entries.map((_, use) => use).filter((use) => isKept[use] === 0);
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        wanted,
      );
    }),
    { seed: 3 },
  );
});
