import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { BitSet } from "../../src/check/bit-set.ts";
import { TreeGraph } from "../../src/check/tree-graph.ts";
import { BlobTable } from "../../src/index/blob-table.ts";

const SIZE = 40;

function tableOf(count: number): BlobTable {
  const table = BlobTable.create(count);
  for (let i = 0; i < count; i++) table.claim("tree", new Uint32Array(8).fill(i + 1));
  return table;
}

/** Trees lead to higher numbers only: a hash cannot be part of what it is the hash of. */
const forest = fc.array(fc.array(fc.nat(SIZE - 1), { maxLength: 4 }), {
  minLength: SIZE,
  maxLength: SIZE,
});

function graphOf(children: readonly (readonly number[])[]): {
  graph: TreeGraph;
  below: number[][];
} {
  const graph = new TreeGraph(tableOf(SIZE));
  const below = children.map((list, tree) => list.filter((child) => child > tree));
  for (const [tree, list] of below.entries()) graph.add(Uint32Array.of(tree, list.length, ...list));
  return { graph, below };
}

function descendants(below: readonly (readonly number[])[], tree: number): Set<number> {
  const all = new Set([tree]);
  for (const child of below[tree] ?? []) for (const one of descendants(below, child)) all.add(one);
  return all;
}

const members = (set: BitSet): number[] =>
  Array.from({ length: SIZE }, (_, i) => i).filter((i) => set.has(i));

describe("the graph of trees", () => {
  it("reaches exactly what lies below the roots, each once", () => {
    fc.assert(
      fc.property(forest, fc.array(fc.nat(SIZE - 1), { maxLength: 5 }), (children, roots) => {
        const { graph, below } = graphOf(children);
        const seen: number[] = [];
        const reached = graph.reach(roots, (tree) => seen.push(tree));
        const expected = new Set(roots.flatMap((root) => [...descendants(below, root)]));
        assert.deepEqual(
          members(reached),
          [...expected].sort((a, b) => a - b),
        );
        assert.deepEqual(
          seen.toSorted((a, b) => a - b),
          members(reached),
        );
      }),
    );
  });

  it("knows which trees lead to some others", () => {
    const some = fc.array(fc.nat(SIZE - 1), { maxLength: 5 });
    fc.assert(
      fc.property(forest, some, some, (children, roots, targets) => {
        const { graph, below } = graphOf(children);
        const wanted = new Set(targets);
        const leading = graph.leadingTo(wanted, roots);
        const reached = new Set(roots.flatMap((root) => [...descendants(below, root)]));
        const expected = [...reached].filter((tree) => {
          return [...descendants(below, tree)].some((one) => wanted.has(one));
        });
        assert.deepEqual(
          members(leading),
          expected.sort((a, b) => a - b),
        );
      }),
    );
  });

  it("walks a chain of a hundred thousand trees", () => {
    const count = 100_000;
    const graph = new TreeGraph(tableOf(count));
    for (let i = 0; i < count - 1; i++) graph.add(Uint32Array.of(i, 1, i + 1));
    let reached = 0;
    graph.reach([0], () => reached++);
    assert.equal(reached, count);
    assert.ok(graph.leadingTo(new Set([count - 1]), [0]).has(0));
    assert.ok(!graph.isRead(count - 1));
  });
});
