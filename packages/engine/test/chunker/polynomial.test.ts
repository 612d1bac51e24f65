import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import fc from "fast-check";
import {
  degree,
  formatPolynomial,
  greatestCommonDivisor,
  isIrreducible,
  parsePolynomial,
  product,
  randomPolynomial,
  remainder,
} from "../../src/chunker/polynomial.ts";

const polynomials = fc.bigInt({ min: 0n, max: (1n << 60n) - 1n });
const nonZero = fc.bigInt({ min: 1n, max: (1n << 40n) - 1n });

/** The polynomials of restic's own test of irreducibility. */
const REDUCIBLE = [
  0x38f1e565e288dfn,
  0x30a8295b9d5c91n,
  0x255f4350b962cbn,
  0x267f776110a235n,
  0x2f4dae10d41227n,
  0x312daf4b284899n,
  0x29dfb6553d01d1n,
  0x3548245eb26257n,
  0x3199e7ef4211b3n,
  0x362f39017dae8bn,
  0x200d57aa6fdacbn,
  0x35e0a4efa1d275n,
  0x2ced55b026577fn,
  0x260b012010893dn,
  0x2df29cbcd59e9dn,
  0x3f2ac7488bd429n,
  0x3e5cb1711669fbn,
  0x226d8de57a9959n,
  0x3c8de80aaf5835n,
  0x2026a59efb219bn,
  0x39dfa4d13fb231n,
  0x3143d0464b3299n,
];

test("restic's irreducible and reducible polynomials", () => {
  for (const polynomial of REDUCIBLE) assert.equal(isIrreducible(polynomial), false);
  for (const polynomial of [0x3da3358b4dc173n, 0x2482734cacca49n]) {
    assert.equal(isIrreducible(polynomial), true);
  }
});

test("the small irreducible polynomials, by trial division", () => {
  for (let candidate = 2n; candidate < 1024n; candidate++) {
    let divided = false;
    for (let divisor = 2n; degree(divisor) * 2 <= degree(candidate); divisor++) {
      if (remainder(candidate, divisor) === 0n) divided = true;
    }
    assert.equal(isIrreducible(candidate), !divided, candidate.toString(2));
  }
  assert.equal(isIrreducible(0n), false);
  assert.equal(isIrreducible(1n), false);
});

test("the arithmetic is that of a ring", () => {
  fc.assert(
    fc.property(polynomials, polynomials, nonZero, (a, b, divisor) => {
      assert.equal(product(a, b), product(b, a));
      assert.ok(degree(remainder(a, divisor)) < degree(divisor));
      assert.equal(
        remainder(product(a, divisor) ^ remainder(b, divisor), divisor),
        remainder(b, divisor),
      );
      const common = greatestCommonDivisor(product(a, divisor), divisor);
      assert.equal(common, divisor);
    }),
  );
  assert.equal(product(0b1101n, 0b11n), 0b10111n);
  assert.equal(remainder(0b101101001n, 0b1010n), 1n);
  assert.equal(greatestCommonDivisor(0x230d2259defdn, 0x51b492b3eff2n), 0b10011n);
});

test("a product is never irreducible", () => {
  fc.assert(
    fc.property(nonZero, nonZero, (a, b) => a === 1n || b === 1n || !isIrreducible(product(a, b))),
    { numRuns: 30 },
  );
});

test("random polynomials are irreducible, of degree 53, and follow the random source", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const draw = (): bigint => {
      let state = seed;
      return randomPolynomial({
        fill: (target) => {
          for (let i = 0; i < target.length; i++) {
            state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
            target[i] = state >>> 16;
          }
          return target;
        },
      });
    };
    const polynomial = draw();
    assert.equal(degree(polynomial), 53);
    assert.ok(isIrreducible(polynomial));
    assert.equal(draw(), polynomial);
    assert.equal(parsePolynomial(formatPolynomial(polynomial)), polynomial);
  }
  assert.throws(() => randomPolynomial({ fill: (target) => target }), /random source/);
});

test("what is no polynomial for a chunker is refused", () => {
  assert.equal(parsePolynomial("3da3358b4dc173"), 0x3da3358b4dc173n);
  for (const text of [
    "",
    "0",
    "0x3da3358b4dc173",
    "38f1e565e288df",
    "-1",
    "7",
    "3da3358b4dc17300000",
  ]) {
    assert.throws(
      () => parsePolynomial(text),
      (error) => isComebackError(error, "repository.damaged"),
      text,
    );
  }
});
