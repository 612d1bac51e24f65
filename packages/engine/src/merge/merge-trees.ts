import type { ByteString, OperationOptions } from "@comeback/core";
import { isComebackError, REWRITE_FOLDERS_KEPT_MAX } from "@comeback/core";
import type { TreeWriter } from "../archive/tree-writer.ts";
import type { Repository } from "../repository/repository.ts";
import { folderDamaged, subtreeOf } from "../rewrite/rewrite-trees.ts";
import type { TreeNode } from "../tree/types.ts";

/** A folder that holds the newest version of each path, with all that is below it. */
export interface MergedFolder {
  readonly treeId: string;
  readonly files: number;
  readonly bytes: number;
}

export interface TreeMergerOptions extends OperationOptions {
  readonly repository: Repository;
  readonly writer: TreeWriter;
  onFolder?(): void;
}

/** One name of a folder: its newest node, and where that is a folder, all trees that it ever had. */
interface MergedEntry {
  readonly node: TreeNode;
  readonly subtrees: string[];
}

/**
 * Merges trees from the bottom up. Of one folder one version after the other is read; what is kept
 * of them are their names in common.
 */
export class TreeMerger {
  readonly #options: TreeMergerOptions;
  /** Of folders with one version only: the same wherever they stand. */
  readonly #counted = new Map<string, MergedFolder>();

  constructor(options: TreeMergerOptions) {
    this.#options = options;
  }

  /** `treeIds`: the newest first, each once. `path` is "" for the top of a snapshot. */
  async merge(treeIds: readonly string[], path: ByteString): Promise<MergedFolder> {
    const [newest = ""] = treeIds;
    const isOne = treeIds.length === 1;
    const known = isOne ? this.#counted.get(newest) : undefined;
    if (known !== undefined) return known;
    const nodes: TreeNode[] = [];
    let files = 0;
    let bytes = 0;
    for (const { node, subtrees } of await this.#entries(treeIds, path)) {
      nodes.push(node);
      if (node.type === "file") {
        files++;
        bytes += Number(node.size);
      }
      if (node.type !== "dir") continue;
      const below = await this.merge(subtrees, `${path}/${node.name}`);
      files += below.files;
      bytes += below.bytes;
      node.subtree = below.treeId;
    }
    // A folder of which there is one version is not serialised again: that could only lose.
    const treeId = isOne ? newest : await this.#options.writer.store(nodes);
    const merged = { treeId, files, bytes };
    if (isOne && this.#counted.size < REWRITE_FOLDERS_KEPT_MAX) this.#counted.set(newest, merged);
    return merged;
  }

  /** In the order of their names. */
  async #entries(treeIds: readonly string[], path: ByteString): Promise<MergedEntry[]> {
    const entries = new Map<ByteString, MergedEntry>();
    for (const treeId of treeIds) {
      for (const node of await this.#load(treeId, path)) {
        const subtree = node.type === "dir" ? subtreeOf(node, `${path}/${node.name}`) : undefined;
        const known = entries.get(node.name);
        if (known === undefined) {
          entries.set(node.name, { node, subtrees: subtree === undefined ? [] : [subtree] });
        } else if (subtree !== undefined && known.node.type === "dir") {
          if (!known.subtrees.includes(subtree)) known.subtrees.push(subtree);
        }
      }
    }
    const byName = (a: MergedEntry, b: MergedEntry): number => (a.node.name < b.node.name ? -1 : 1);
    return [...entries.values()].sort(byName);
  }

  async #load(treeId: string, path: ByteString): Promise<TreeNode[]> {
    const { repository, signal, onFolder } = this.#options;
    signal?.throwIfAborted();
    try {
      const nodes = await repository.loadTree(treeId, { signal });
      onFolder?.();
      return nodes;
    } catch (cause) {
      signal?.throwIfAborted();
      if (!isComebackError(cause, "repository.damaged")) throw cause;
      throw folderDamaged(path, cause.why ?? cause.message, cause);
    }
  }
}
