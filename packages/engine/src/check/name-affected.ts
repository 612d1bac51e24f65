import type { ByteString, OperationOptions } from "@comeback/core";
import { CHECK_NAMING_TREES_MAX, isComebackError, PROBLEMS_KEPT_MAX } from "@comeback/core";
import { idWords } from "../index/blob-table.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { decodeTree } from "../tree/decode.ts";
import type { TreeNode } from "../tree/types.ts";
import type { AffectedPath } from "./check-options.ts";
import type { TreeGraph } from "./tree-graph.ts";
import type { ReachableTrees } from "./verify-trees.ts";

/** Trees that several snapshots share are kept, so that they are loaded once. */
const TREES_KEPT_MAX = 2_000;

interface NameAffectedOptions extends OperationOptions {
  readonly repository: Repository;
  readonly index: RepositoryIndex;
  readonly graph: TreeGraph;
  readonly trees: ReachableTrees;
  /** In the order of `trees.roots`. */
  readonly snapshots: readonly Snapshot[];
}

/** The files and folders of each snapshot, newest first, that damage was found in. */
export async function nameAffected(
  options: NameAffectedOptions,
): Promise<{ paths: AffectedPath[]; isComplete: boolean }> {
  const { graph, trees, snapshots } = options;
  const roots = trees.roots.filter((root) => root >= 0);
  const leading = graph.leadingTo(trees.damaged, roots);
  const loader = new TreeLoader(options);
  const paths: AffectedPath[] = [];
  for (const [i, { id: snapshotId }] of [...snapshots.entries()].reverse()) {
    const root = trees.roots[i] as number;
    if (root < 0) {
      paths.push({ snapshotId, path: "/" });
      continue;
    }
    if (!leading.has(root)) continue;
    const stack: { tree: number; path: ByteString }[] = [{ tree: root, path: "" }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (paths.length >= PROBLEMS_KEPT_MAX || loader.loaded >= CHECK_NAMING_TREES_MAX) {
        return { paths, isComplete: false };
      }
      const nodes = graph.isRead(top.tree) ? await loader.load(top.tree) : undefined;
      if (nodes === undefined) {
        paths.push({ snapshotId, path: top.path === "" ? "/" : top.path });
        continue;
      }
      const names = trees.damaged.get(top.tree);
      const below: typeof stack = [];
      for (const node of nodes) {
        const path = `${top.path}/${node.name}`;
        const subtree = node.subtree === undefined ? -1 : loader.find(node.subtree);
        if (names?.has(node.name)) paths.push({ snapshotId, path });
        else if (subtree >= 0 && leading.has(subtree)) below.push({ tree: subtree, path });
      }
      stack.push(...below.reverse());
    }
  }
  return { paths, isComplete: true };
}

/** Trees by their entries, straight from the packs, whichever copy holds. */
class TreeLoader {
  readonly #options: NameAffectedOptions;
  readonly #kept = new Map<number, TreeNode[] | undefined>();
  readonly #words = new Uint32Array(8);
  loaded = 0;

  constructor(options: NameAffectedOptions) {
    this.#options = options;
  }

  find(treeId: string): number {
    return this.#options.index.table.find("tree", idWords(treeId, this.#words));
  }

  async load(tree: number): Promise<TreeNode[] | undefined> {
    if (this.#kept.has(tree)) return this.#kept.get(tree);
    this.loaded++;
    const nodes = await this.#load(tree);
    if (this.#kept.size >= TREES_KEPT_MAX) this.#kept.clear();
    this.#kept.set(tree, nodes);
    return nodes;
  }

  async #load(tree: number): Promise<TreeNode[] | undefined> {
    const { repository, index, signal } = this.#options;
    const id = index.table.idOf(tree);
    for (const { packId, ...place } of index.find("tree", id)) {
      try {
        const file = { type: "pack", name: packId } as const;
        const { offset, length } = place;
        const box = await repository.backend.load(file, { signal, offset, length });
        const idBytes = Buffer.from(id, "hex");
        const plaintext = repository.codec.open(idBytes, box, place.uncompressedLength);
        if (plaintext !== undefined) return decodeTree(plaintext);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isComebackError(error)) throw error;
      }
    }
    return undefined;
  }
}
