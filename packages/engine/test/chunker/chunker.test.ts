import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ChunkSizes, createChunker } from "../../src/chunker/chunker.ts";
import { RABIN_WASM_BASE64 } from "../../src/chunker/rabin-wasm.ts";
import { compileRabin } from "../../scripts/build-wasm.ts";
import { referenceChunks } from "./reference-chunker.ts";

const POLYNOMIAL = 0x3d_a335_8b4d_c173n;
const OTHER_POLYNOMIAL = 0x24_8273_4cac_ca49n;
const KiB = 1024;
const MiB = 1024 * KiB;
const DEFAULT: ChunkSizes = { minBytes: 512 * KiB, maxBytes: 8 * MiB, averageBits: 20 };
/** So small that every kind of cut happens in little data. */
const SMALL: ChunkSizes = { minBytes: 200, maxBytes: 2000, averageBits: 9 };

/** Bytes that look random, the same ones for the same seed. */
function noise(seed: number, length: number): Uint8Array {
  let state = seed >>> 0 || 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 24;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Data of little variety, in which cuts fall in all kinds of places. */
const data: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.tuple(fc.nat(), fc.nat(3000)).map(([seed, length]) => noise(seed, length)),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(3000))
        .map(([piece, n]) => Uint8Array.from({ length: n }, (_, i) => piece[i % piece.length]!)),
    ),
    { maxLength: 5 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

test("the module is what its source compiles to", () => {
  assert.equal(compileRabin().toString("base64"), RABIN_WASM_BASE64);
});

test("small chunks of any data are those of the reference", () => {
  for (const polynomial of [POLYNOMIAL, OTHER_POLYNOMIAL]) {
    const chunker = createChunker(polynomial, SMALL);
    fc.assert(
      fc.property(data, (bytes) => {
        assert.deepEqual(chunker.cutsOf(bytes, true), referenceChunks(polynomial, bytes, SMALL));
      }),
      { numRuns: 40 },
    );
  }
});

test("chunks of the real size are those of the reference", () => {
  const chunker = createChunker(POLYNOMIAL);
  const period = noise(7, 99_991);
  const inputs = [
    noise(1, 3 * MiB),
    Uint8Array.from({ length: 3 * MiB }, (_, i) => period[i % period.length]!),
  ];
  for (const bytes of inputs) {
    assert.deepEqual(chunker.cutsOf(bytes, true), referenceChunks(POLYNOMIAL, bytes, DEFAULT));
  }
});

test("the first of several cuts wins, in whichever of the four lanes they lie", () => {
  // Windows of zeros are cuts; noise between them holds none at 32 bits.
  const sizes = { minBytes: 64, maxBytes: 1_000_000, averageBits: 32 };
  const chunker = createChunker(POLYNOMIAL, sizes);
  const places = fc.uniqueArray(fc.integer({ min: 200, max: 80_000 }), { maxLength: 6 });
  const background = noise(3, 90_000).map((byte) => byte | 1);
  fc.assert(
    fc.property(places, (starts) => {
      const bytes = background.slice();
      for (const start of starts) bytes.fill(0, start, start + 64);
      const first = starts.length === 0 ? bytes.length : Math.min(...starts) + 64;
      assert.equal(chunker.cutsOf(bytes, true)[0], first);
      chunker.input.set(bytes);
      assert.equal(chunker.nextCut(0, bytes.length, true), first);
    }),
  );
});

test("reading in random pieces, and going on from any cut, changes nothing", () => {
  const chunker = createChunker(POLYNOMIAL, SMALL);
  fc.assert(
    fc.property(data, fc.integer({ min: 1, max: 500 }), fc.nat(5000), (bytes, piece, budget) => {
      const whole = chunker.cutsOf(bytes, true);
      const read = (target: Uint8Array, position: number): number => {
        const part = bytes.subarray(position, position + Math.min(piece, target.length));
        target.set(part);
        return part.length;
      };
      const cuts: number[] = [];
      while ((cuts.at(-1) ?? 0) < bytes.length) {
        const from = cuts.at(-1) ?? 0;
        const more = chunker.findCuts({ read, from, to: bytes.length, budgetBytes: budget + 1 });
        assert.ok(more.length > 0);
        assert.ok((more.at(-2) ?? from) - from <= budget);
        cuts.push(...more);
      }
      assert.deepEqual(
        cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0)),
        whole,
      );
    }),
  );
});

test("only bytes in which a cut may fall are read", () => {
  const bytes = noise(5, 20_000);
  const chunker = createChunker(POLYNOMIAL, { ...SMALL, minBytes: 1000 });
  const read = new Uint8Array(bytes.length);
  const cuts = chunker.findCuts({
    read: (target, position) => {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      read.fill(1, position, position + part.length);
      return part.length;
    },
    from: 0,
    to: 1500,
  });
  assert.equal(cuts.at(-1), 1500);
  assert.equal(read.indexOf(1), 1000 - 64);
  assert.equal(read.lastIndexOf(1), 1499);
});

test("a chunk in the arena needs more bytes until its end is certain", () => {
  const chunker = createChunker(POLYNOMIAL, SMALL);
  fc.assert(
    fc.property(data, fc.nat(100), (bytes, offset) => {
      chunker.input.set(bytes, offset);
      const end = offset + bytes.length;
      const expected = referenceChunks(POLYNOMIAL, bytes, SMALL);
      const open = chunker.nextCut(offset, end, false);
      if (open === -1) assert.ok(expected.length <= 1);
      else assert.equal(open, expected[0]);
      const lengths: number[] = [];
      for (let at = offset; at < end; at += lengths.at(-1)!) {
        lengths.push(chunker.nextCut(at, end, true));
      }
      assert.deepEqual(lengths, expected);
      if (open > 0) assert.equal(chunker.nextCut(offset, offset + open - 1, false), -1);
    }),
  );
});

test("sizes around every bound", () => {
  const chunker = createChunker(POLYNOMIAL);
  assert.deepEqual(chunker.cutsOf(new Uint8Array(0), true), []);
  assert.deepEqual(chunker.findCuts({ read: () => 0, from: 0, to: 0 }), []);
  assert.equal(chunker.nextCut(0, 0, true), 0);
  const { minBytes, maxBytes } = DEFAULT;
  // These bytes hold no cut at all: any chunk is as long as it may be.
  const uncut = new Uint8Array(2 * maxBytes).fill(1);
  for (const length of [1, 63, 64, 65, minBytes - 65, minBytes - 64, minBytes - 1, minBytes]) {
    assert.deepEqual(chunker.cutsOf(uncut.subarray(0, length), true), [length]);
    assert.deepEqual(chunker.cutsOf(uncut.subarray(0, length), false), []);
  }
  assert.deepEqual(chunker.cutsOf(uncut.subarray(0, maxBytes - 1), true), [maxBytes - 1]);
  assert.deepEqual(chunker.cutsOf(uncut.subarray(0, maxBytes - 1), false), []);
  assert.deepEqual(chunker.cutsOf(uncut.subarray(0, maxBytes), false), [maxBytes]);
  assert.deepEqual(chunker.cutsOf(uncut.subarray(0, maxBytes + 1), true), [maxBytes, 1]);
  assert.deepEqual(chunker.cutsOf(uncut, false), [maxBytes, maxBytes]);
  assert.ok(chunker.input.length > maxBytes);
});

test("data that ends before it should gives the cuts that are certain", () => {
  const chunker = createChunker(POLYNOMIAL, SMALL);
  const bytes = noise(9, 5000);
  const whole = chunker.cutsOf(bytes, true);
  for (let length = 0; length <= bytes.length; length += 61) {
    const present = bytes.subarray(0, length);
    const read = (target: Uint8Array, position: number): number => {
      const part = present.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    };
    const cuts = chunker.findCuts({ read, from: 0, to: bytes.length });
    assert.equal(cuts.length > 0, length > 0);
    // All but the last are true cuts; the last one lies behind everything that is there.
    const lengths = cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0));
    assert.deepEqual(lengths.slice(0, -1), whole.slice(0, Math.max(0, lengths.length - 1)));
    assert.ok(length === 0 || (cuts.at(-1) ?? 0) >= length);
    const from = cuts.at(-1) ?? 0;
    const more = chunker.findCuts({ read, from, to: bytes.length });
    // A last chunk that is too short for a cut is not read, so it is not missed either.
    const isShort = from < bytes.length && bytes.length - from < SMALL.minBytes;
    assert.deepEqual(more, isShort ? [bytes.length] : []);
  }
  assert.equal(sum(whole), bytes.length);
});
