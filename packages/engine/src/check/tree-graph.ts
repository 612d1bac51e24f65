import type { BlobTable } from "../index/blob-table.ts";
import { BitSet } from "./bit-set.ts";

/** Which trees lead to which, by their canonical entries: four bytes a blob and four an edge. */
export class TreeGraph {
  readonly #entries: number;
  /** Where a tree's edges begin, plus one; 0 for trees that could not be read. */
  readonly #starts: Uint32Array;
  #edges: Uint32Array = new Uint32Array(1 << 12);
  #length = 0;

  constructor(table: BlobTable) {
    this.#entries = table.count;
    this.#starts = new Uint32Array(this.#entries);
  }

  /** Takes what a worker says of trees: entry, count of subtrees, their entries, and so on. */
  add(edges: Uint32Array): void {
    this.#reserve(edges.length);
    for (let at = 0; at < edges.length;) {
      const tree = edges[at] as number;
      const end = at + 2 + (edges[at + 1] as number);
      // A tree that is stored twice was read twice.
      if (this.#starts[tree] === 0) {
        this.#starts[tree] = this.#length + 1;
        this.#edges.set(edges.subarray(at + 1, end), this.#length);
        this.#length += end - at - 1;
      }
      at = end;
    }
  }

  isRead(tree: number): boolean {
    return this.#starts[tree] !== 0;
  }

  children(tree: number): Uint32Array {
    const start = this.#starts[tree] as number;
    if (start === 0) return new Uint32Array(0);
    return this.#edges.subarray(start, start + (this.#edges[start - 1] as number));
  }

  /** All trees that `roots` lead to, themselves included. */
  reach(roots: readonly number[], onTree: (tree: number) => void): BitSet {
    const reached = BitSet.create(this.#entries);
    const stack = roots.filter((root) => reached.add(root));
    for (let tree = stack.pop(); tree !== undefined; tree = stack.pop()) {
      onTree(tree);
      for (const child of this.children(tree)) if (reached.add(child)) stack.push(child);
    }
    return reached;
  }

  /** The trees below `roots` that are in `targets` or lead to one of them. */
  leadingTo(targets: { has(tree: number): boolean }, roots: readonly number[]): BitSet {
    const leading = BitSet.create(this.#entries);
    const seen = BitSet.create(this.#entries);
    const path: { readonly tree: number; readonly children: Uint32Array; next: number }[] = [];
    const enter = (tree: number): void => {
      seen.add(tree);
      if (targets.has(tree)) leading.add(tree);
      path.push({ tree, children: this.children(tree), next: 0 });
    };
    for (const root of roots) {
      if (!seen.has(root)) enter(root);
      for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
        const child = last.children[last.next++];
        if (child === undefined) {
          path.pop();
          const parent = path.at(-1);
          if (parent !== undefined && leading.has(last.tree)) leading.add(parent.tree);
        } else if (!seen.has(child)) {
          enter(child);
        } else if (leading.has(child)) {
          leading.add(last.tree);
        }
      }
    }
    return leading;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#edges.length) return;
    const larger = new Uint32Array(Math.max(this.#edges.length * 2, this.#length + more));
    larger.set(this.#edges);
    this.#edges = larger;
  }
}
