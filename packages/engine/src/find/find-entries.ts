import type { ComebackError, OperationOptions, PatternList } from "@comeback/core";
import type { WalkedNode } from "../listing/walk-snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TreeNode } from "../tree/types.ts";
import { TreeSearch, type Visit } from "./tree-search.ts";

export interface FindOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  /** Searched in this order. */
  readonly snapshots: readonly Snapshot[];
  /** Told of each snapshot before it is searched. */
  onSnapshot?(snapshot: Snapshot, number: number): void;
  /** Told of a folder that cannot be read; the search goes on without it. */
  onProblem?(error: ComebackError, snapshot: Snapshot): void;
}

export interface FindEntriesOptions extends FindOptions {
  /** Each path that they match is found, and everything below one, as restic does. */
  readonly patterns: PatternList;
  /** Narrows the matches down. */
  accepts?(node: TreeNode): boolean;
  onMatch(match: WalkedNode, snapshot: Snapshot): void;
}

/** The entries of snapshots whose path matches. A folder that does not change is read once. */
export async function findEntries(options: FindEntriesOptions): Promise<void> {
  const { patterns } = options;
  const visit = (walked: WalkedNode): Visit<WalkedNode> => {
    const { matched, below } = patterns.matchesOrBelow(walked.path);
    const isFound = matched && options.accepts?.(walked.node) !== false;
    return { matches: isFound ? [withoutContent(walked)] : [], descends: isFound || below };
  };
  const search = new TreeSearch(options.repository, visit);
  await searchSnapshots(options, search, options.onMatch);
}

/** Remembered matches need no lists of blobs, which may be long. */
function withoutContent(walked: WalkedNode): WalkedNode {
  const { node } = walked;
  return node.content ? { ...walked, node: { ...node, content: null } } : walked;
}

/** Walks all snapshots with one search. */
export async function searchSnapshots<Match>(
  options: FindOptions,
  search: TreeSearch<Match>,
  onMatch: (match: Match, snapshot: Snapshot) => void,
): Promise<void> {
  const { signal, snapshots } = options;
  for (const [i, snapshot] of snapshots.entries()) {
    options.onSnapshot?.(snapshot, i + 1);
    await search.walk(snapshot.tree, {
      signal,
      onMatch: (match) => onMatch(match, snapshot),
      onProblem: (error) => options.onProblem?.(error, snapshot),
    });
  }
}
