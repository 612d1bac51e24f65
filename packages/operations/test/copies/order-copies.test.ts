import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import fc from "fast-check";
import type { CopySettings } from "../../src/configuration/schema/plan.ts";
import { orderCopies } from "../../src/copies/order-copies.ts";

function copy(from: string, to: string): CopySettings {
  return { from, to, only: {}, retries: { count: 0, pause: 0 } };
}

function names(copies: readonly CopySettings[]): string[] {
  return copies.map(({ from, to }) => `${from}>${to}`);
}

function isConflict(error: unknown): boolean {
  return isComebackError(error, "plan.conflict");
}

test("each copy comes after the one that brings what it copies", () => {
  const ordered = orderCopies([copy("b", "c"), copy("a", "b"), copy("c", "d")], ["a"]);
  assert.deepEqual(names(ordered), ["a>b", "b>c", "c>d"]);
});

test("a circle, a copy from nowhere, and two ways to one place are refused", () => {
  assert.throws(() => orderCopies([copy("b", "c"), copy("c", "b")], ["a"]), isConflict);
  assert.throws(() => orderCopies([copy("x", "y")], ["a"]), isConflict);
  assert.throws(() => orderCopies([copy("a", "a")], ["a"]), isConflict);
  assert.throws(() => orderCopies([copy("a", "c"), copy("b", "c")], ["a", "b"]), isConflict);
  assert.throws(
    () => orderCopies([copy("a", "b"), copy("b", "c"), copy("a", "c")], ["a"]),
    isConflict,
  );
});

test("any tree of copies is put in order, however it is written down", () => {
  const tree = fc
    .array(fc.nat(), { minLength: 1, maxLength: 12 })
    .map((parents) =>
      parents.map((parent, place) => copy(`n${parent % (place + 1)}`, `n${place + 1}`)),
    );
  fc.assert(
    fc.property(
      tree.chain((copies) => fc.shuffledSubarray(copies, { minLength: copies.length })),
      (copies) => {
        const reached = new Set(["n0"]);
        for (const { from, to } of orderCopies(copies, ["n0"])) {
          assert.ok(reached.has(from), `${from} is copied before anything came to it`);
          reached.add(to);
        }
        assert.equal(reached.size, copies.length + 1);
      },
    ),
  );
});
