import type { ByteString, OperationOptions } from "@comeback/core";
import { ComebackError, damaged, displayText, REWRITE_FOLDERS_KEPT_MAX } from "@comeback/core";
import type { TreeWriter } from "../archive/tree-writer.ts";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";

/** A folder as it is after the rewriting, with all that is below it. */
export interface RewrittenFolder {
  readonly treeId: string;
  readonly files: number;
  readonly bytes: number;
  /** Entries left out; a folder counts as one. */
  readonly excluded: number;
}

export interface TreeRewriterOptions extends OperationOptions {
  readonly repository: Repository;
  readonly writer: TreeWriter;
  /** True for an entry that is left out. */
  excludes(path: ByteString, node: TreeNode): boolean;
  onFolder?(): void;
}

/**
 * Rewrites trees from the bottom up. A folder in which nothing changes keeps its tree, and is
 * neither serialised nor stored again. Nothing is kept of what was read but ids and counts, which
 * snapshots have mostly in common.
 */
export class TreeRewriter {
  readonly #options: TreeRewriterOptions;
  readonly #known = new Map<string, RewrittenFolder>();

  constructor(options: TreeRewriterOptions) {
    this.#options = options;
  }

  /** `path` is "" for the top of a snapshot. */
  async rewrite(treeId: string, path: ByteString): Promise<RewrittenFolder> {
    // What is excluded depends on the path as well.
    const key = `${treeId}${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const rewritten = await this.#rewrite(treeId, path);
    if (this.#known.size < REWRITE_FOLDERS_KEPT_MAX) this.#known.set(key, rewritten);
    return rewritten;
  }

  async #rewrite(treeId: string, path: ByteString): Promise<RewrittenFolder> {
    const { excludes, writer } = this.#options;
    const nodes: TreeNode[] = [];
    let files = 0;
    let bytes = 0;
    let excluded = 0;
    let isChanged = false;
    for (const node of await this.#load(treeId, path)) {
      const at = `${path}/${node.name}`;
      if (excludes(at, node)) {
        excluded++;
        isChanged = true;
        continue;
      }
      nodes.push(node);
      if (node.type === "file") {
        files++;
        bytes += Number(node.size);
      }
      if (node.type !== "dir") continue;
      const below = await this.rewrite(subtreeOf(node, at), at);
      files += below.files;
      bytes += below.bytes;
      excluded += below.excluded;
      if (below.treeId !== node.subtree) isChanged = true;
      node.subtree = below.treeId;
    }
    return { treeId: isChanged ? await writer.store(nodes) : treeId, files, bytes, excluded };
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
      if (!(cause instanceof ComebackError) || cause.code !== "repository.damaged") throw cause;
      throw folderDamaged(path, cause.why ?? cause.message, cause);
    }
  }
}

export function subtreeOf(node: TreeNode, path: ByteString): string {
  if (node.subtree !== undefined) return node.subtree;
  throw folderDamaged(path, "its entry names no tree");
}

export function folderDamaged(path: ByteString, why: string, cause?: unknown): ComebackError {
  const folder = path === "" ? "/" : displayText(path);
  return damaged(`the listing of folder ${folder}`, why, cause);
}
