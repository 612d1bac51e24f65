import { CHECK_DETAILS_KEPT_MAX } from "@comeback/core";
import type { RepositoryIndex } from "../index/repository-index.ts";
import { type BlobTable, idWords } from "../index/blob-table.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { BitSet } from "./bit-set.ts";
import { fewDetails, type ProblemLog } from "./problem-log.ts";
import type { TreeGraph } from "./tree-graph.ts";
import type { PackVerification } from "./verify-packs.ts";

/** What is wrong below the snapshots, in terms of trees. */
export interface ReachableTrees {
  /** For each snapshot, its root as a canonical entry, or -1 where the index does not have it. */
  readonly roots: readonly number[];
  readonly reached: BitSet;
  readonly count: number;
  /** Trees with damage: the names of the damaged nodes, or none where the whole tree is. */
  readonly damaged: Map<number, Set<string>>;
}

function findRoot(table: BlobTable, tree: string): number {
  return table.find("tree", idWords(tree, new Uint32Array(8)));
}

/** Whether snapshots lead to trees that no reading has come across. */
export function leadsToUnread(
  { table }: RepositoryIndex,
  snapshots: readonly Snapshot[],
  graph: TreeGraph,
): boolean {
  const roots = snapshots.map(({ tree }) => findRoot(table, tree));
  let isUnread = false;
  graph.reach(
    roots.filter((root) => root >= 0),
    (tree) => {
      isUnread ||= !graph.isRead(tree);
    },
  );
  return isUnread;
}

/** Reports what is missing or damaged in all trees that the snapshots lead to. */
export function verifyTrees(
  index: RepositoryIndex,
  snapshots: readonly Snapshot[],
  packs: PackVerification,
  log: ProblemLog,
): ReachableTrees {
  const { table } = index;
  const damaged = new Map<number, Set<string>>();
  const missing = new MissingBlobs();
  const roots = snapshots.map(({ id, tree }) => {
    const root = findRoot(table, tree);
    if (root < 0) missing.add("tree", tree, `snapshot ${id.slice(0, 8)} begins with it`);
    return root;
  });
  let count = 0;
  const verify = (tree: number): void => {
    count++;
    const findings = packs.findings.get(tree) ?? [];
    const isRead = packs.graph.isRead(tree);
    if (isRead && findings.length === 0) return;
    const id = table.idOf(tree);
    const names = new Set<string>();
    damaged.set(tree, names);
    const details: string[] = [];
    for (const { why, nodeName, missing: blob } of findings) {
      if (nodeName !== undefined) names.add(nodeName);
      if (blob === undefined) details.push(why);
      else missing.add(blob.type, blob.id, `tree ${id.slice(0, 10)}: ${why}`);
    }
    // Where there is nothing inside to complain of, it is because no copy could be opened.
    if (!isRead && details.length === 0) details.push(...packs.lost.reasonsFor(tree));
    if (details.length === 0) return;
    const message = `tree ${id.slice(0, 10)} is damaged`;
    log.add({ kind: "tree", message, details: fewDetails(details), blob: { type: "tree", id } });
  };
  const reached = packs.graph.reach(
    roots.filter((root) => root >= 0),
    verify,
  );
  missing.report(log);
  return { roots, reached, count, damaged };
}

/** Blobs that trees or snapshots name and no index lists, with who names them. */
class MissingBlobs {
  readonly #blobs = new Map<string, { type: "data" | "tree"; details: string[]; count: number }>();

  add(type: "data" | "tree", id: string, detail: string): void {
    const key = `${type} ${id}`;
    const blob = this.#blobs.get(key) ?? { type, details: [], count: 0 };
    this.#blobs.set(key, blob);
    blob.count++;
    if (blob.details.length < CHECK_DETAILS_KEPT_MAX) blob.details.push(detail);
  }

  report(log: ProblemLog): void {
    for (const [key, { type, details, count }] of this.#blobs) {
      const id = key.slice(type.length + 1);
      const kind = type === "tree" ? "tree-missing" : "blob-missing";
      const what = type === "tree" ? "tree" : "data blob";
      const message = `${what} ${id.slice(0, 10)} is not in the index`;
      if (count > details.length) details.push(`and ${count - details.length} more`);
      log.add({ kind, message, details, blob: { type, id } });
    }
  }
}
