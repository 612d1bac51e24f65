import type { RepositoryIndex } from "../index/repository-index.ts";
import { idWords } from "../index/blob-table.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { BitSet } from "./bit-set.ts";
import { fewDetails, type ProblemLog } from "./problem-log.ts";
import type { TreeFinding } from "./tasks.ts";
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

/** Reports what is missing or damaged in all trees that the snapshots lead to. */
export function verifyTrees(
  index: RepositoryIndex,
  snapshots: readonly Snapshot[],
  packs: PackVerification,
  log: ProblemLog,
): ReachableTrees {
  const { table } = index;
  const { graph, lost } = packs;
  const damaged = new Map<number, Set<string>>();
  const missing = new Map<string, { type: "data" | "tree"; details: string[] }>();
  const addMissing = (type: "data" | "tree", id: string, detail: string): void => {
    const known = missing.get(id);
    if (known === undefined) missing.set(id, { type, details: [detail] });
    else known.details.push(detail);
  };
  const roots = snapshots.map(({ id, tree }) => {
    const root = table.find("tree", idWords(tree, new Uint32Array(8)));
    if (root < 0) addMissing("tree", tree, `snapshot ${id.slice(0, 8)} begins with it`);
    return root;
  });
  let count = 0;
  const reached = graph.reach(
    roots.filter((root) => root >= 0),
    (tree) => {
      count++;
      const findings = packs.findings.get(tree) ?? [];
      if (graph.isRead(tree) && findings.length === 0) return;
      const id = table.idOf(tree);
      const names = new Set<string>();
      damaged.set(tree, names);
      const details = graph.isRead(tree)
        ? detailsOf(findings, names, (type, blob, why) =>
            addMissing(type, blob, `tree ${id.slice(0, 10)}: ${why}`),
          )
        : [...findings.map(({ why }) => why), ...lost.reasonsFor(tree)];
      if (details.length === 0) return;
      const message = `tree ${id.slice(0, 10)} is damaged`;
      log.add({ kind: "tree", message, details: fewDetails(details), blob: { type: "tree", id } });
    },
  );
  for (const [id, { type, details }] of missing) {
    const kind = type === "tree" ? "tree-missing" : "blob-missing";
    const message = `${type === "tree" ? "tree" : "data blob"} ${id.slice(0, 10)} is not in the index`;
    log.add({ kind, message, details: fewDetails(details), blob: { type, id } });
  }
  return { roots, reached, count, damaged };
}

/** The findings that are not about missing blobs, as sentences; names what is affected. */
function detailsOf(
  findings: readonly TreeFinding[],
  names: Set<string>,
  onMissing: (type: "data" | "tree", id: string, why: string) => void,
): string[] {
  const details: string[] = [];
  for (const { why, nodeName, missing } of findings) {
    if (nodeName !== undefined) names.add(nodeName);
    if (missing === undefined) details.push(why);
    else onMissing(missing.type, missing.id, why);
  }
  return details;
}
