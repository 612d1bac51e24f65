import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planReplication } from "../../src/replicate/plan-replication.ts";
import type { Listing } from "../../src/replicate/plan-replication.ts";
import { pathOfFile, SENDING_ORDER, typeOfPath } from "../../src/replicate/replicated-file.ts";
import { filesToCompare, notThere } from "../../src/replicate/verify-replica.ts";

const names: readonly string[] = Array.from({ length: 12 }, (_, i) =>
  i.toString(16).padStart(2, "0").repeat(32),
);
const paths: readonly string[] = SENDING_ORDER.flatMap((type) =>
  type === "config" ? ["config"] : names.map((name) => pathOfFile(type, name)),
);
const listing: fc.Arbitrary<Listing> = fc
  .uniqueArray(
    fc.record({ path: fc.constantFrom(...paths), size: fc.integer({ min: 1, max: 2 }) }),
    {
      selector: ({ path }) => path,
    },
  )
  .map((files) => new Map(files.map(({ path, size }) => [path, size])));

/** Where each step stands in the only order that is safe. */
const RANKS: readonly string[] = [
  "send key",
  "send config",
  "send pack",
  "send index",
  "send snapshot",
  "remove snapshot",
  "remove index",
  "remove pack",
  "remove key",
];

test("a plan makes the target like the source, in the only safe order", () => {
  fc.assert(
    fc.property(listing, listing, fc.boolean(), (source, target, removes) => {
      const plan = planReplication({ source, target, removes });
      const ranks = plan.stages.map(({ action, type }) => RANKS.indexOf(`${action} ${type}`));
      assert.ok(!ranks.includes(-1));
      assert.deepEqual(
        ranks,
        ranks.toSorted((a, b) => a - b),
      );
      const after = new Map(target);
      for (const { action, type, files } of plan.stages) {
        for (const { path, sizeBytes } of files) {
          assert.equal(typeOfPath(path), type);
          if (action === "send") {
            assert.ok(!after.has(path), "what is there is never overwritten");
            after.set(path, sizeBytes);
          } else {
            assert.ok(!source.has(path), "what the source has is never removed");
            after.delete(path);
          }
        }
      }
      const differing = new Set(plan.differing.map(({ path }) => path));
      for (const [path, size] of source) {
        assert.equal(after.get(path) === size, !differing.has(path));
      }
      for (const path of target.keys()) {
        const stays = source.has(path) || path === "config" || !removes;
        assert.equal(after.has(path), stays);
      }
      assert.deepEqual(notThere(plan, after), []);
    }),
    { seed: 5 },
  );
});

test("paths that are no repository's are left alone", () => {
  const strange = [
    "locks/" + names[0],
    "data/00/" + names[1],
    "keys/x",
    "../config",
    "config2",
    "",
  ];
  for (const path of strange) assert.equal(typeOfPath(path), undefined, path);
  const target = new Map(strange.map((path) => [path, 1] as const));
  const plan = planReplication({ source: new Map(), target, removes: true });
  assert.deepEqual(plan, { stages: [], present: [], differing: [], surplus: 0 });
});

test("a sample has what is small, and some packs of each kind; all has all", () => {
  const many = Array.from({ length: 100 }, (_, i) =>
    pathOfFile("pack", i.toString(16).padStart(2, "0").repeat(32)),
  );
  const source = new Map([...many, ...paths].map((path) => [path, 1] as const));
  const target = new Map([...source].filter((_, i) => i % 2 === 0));
  const plan = planReplication({ source, target, removes: false });
  const random = { fill: <T extends Uint8Array>(bytes: T): T => bytes.fill(200) };
  const packs = (files: readonly { path: string }[]): number =>
    files.filter(({ path }) => typeOfPath(path) === "pack").length;
  const sample = filesToCompare("sample", plan, random);
  assert.equal(packs(sample), 64);
  assert.equal(new Set(sample.map(({ path }) => path)).size, sample.length);
  assert.ok(sample.some(({ path }) => path === "config"));
  assert.equal(filesToCompare("all", plan, random).length, source.size);
  assert.deepEqual(filesToCompare("none", plan, random), []);
});
