import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../src/index.ts";

test("the same seed gives the same numbers, another one others", () => {
  const [a, b, c] = [new SeededRandom(5), new SeededRandom(5), new SeededRandom(6)];
  assert.equal(a.seed, 5);
  const first = a.hex(1000);
  assert.equal(first, b.hex(1000));
  assert.notEqual(first, c.hex(1000));
  assert.notEqual(first, a.hex(1000));
});

test("fill fills everything and only that", () => {
  for (let length = 0; length < 40; length++) {
    const around = new Uint8Array(50);
    new SeededRandom(length).fill(around.subarray(5, 5 + length));
    assert.ok(around.subarray(0, 5).every((byte) => byte === 0));
    assert.ok(around.subarray(5 + length).every((byte) => byte === 0));
  }
  const bytes = new SeededRandom(1).bytes(100_000);
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte]!++;
  for (const count of counts) assert.ok(count > 250 && count < 550, String(count));
});

test("integers, chances and picks stay in their bounds and reach them", () => {
  const random = new SeededRandom(2);
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) seen.add(random.integer(-3, 4));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [-3, -2, -1, 0, 1, 2, 3, 4],
  );
  const large = random.integer(2 ** 40, 2 ** 50);
  assert.ok(large >= 2 ** 40 && large <= 2 ** 50);
  assert.ok(![0, 1, 2, 3].some(() => random.chance(0)));
  assert.ok([0, 1, 2, 3].every(() => random.chance(100)));
  assert.equal(random.pick(["only"]), "only");
  assert.throws(() => random.pick([]));
});
