import type { ByteString, OperationOptions } from "@comeback/core";
import { isComebackError, PROBLEMS_KEPT_MAX } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { sha256 } from "../crypto/blob-codec.ts";
import { BOX_OVERHEAD_BYTES } from "../crypto/box.ts";
import { idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import { encodeTree } from "../tree/encode.ts";
import type { TreeNode } from "../tree/types.ts";

/** What is done to an entry that cannot stay as it is. */
export type MendingKind =
  /** A file: blobs that are gone are cut out. */
  | "content-cut"
  /** A file: its size was not that of its content. */
  | "size-fixed"
  /** A folder whose tree cannot be read: it is empty now. */
  | "folder-emptied"
  /** An entry that is of no type at all: it is left out. */
  | "entry-removed";

export interface Mending {
  readonly kind: MendingKind;
  /** Absolute within the tree, raw bytes. */
  readonly path: ByteString;
}

export interface MendOptions extends OperationOptions {
  /** Open, its index loaded. */
  readonly repository: Repository;
  /** Told of every tree that is not in the repository yet; without it, nothing is stored. */
  store?(id: string, json: Uint8Array): Promise<void>;
  onTree?(): void;
}

const EMPTY_TREE: Uint8Array = encodeTree([]);
export const EMPTY_TREE_ID: string = sha256(EMPTY_TREE).toString("hex");

/**
 * Makes trees whole by restic's rules for `repair snapshots`: what cannot be read is cut out, what
 * is left fits together. A tree in which nothing is wrong keeps its id, and each is read once.
 */
export class TreeMender {
  readonly #options: MendOptions;
  readonly #words = new Uint32Array(8);
  /** Trees that need no mending, by their entries; of the others, what stands in for them. */
  readonly #whole: BitSet;
  readonly #bits: number;
  readonly #mended = new Map<string, string>();
  readonly mendings: Mending[] = [];
  mendingCount = 0;

  constructor(options: MendOptions) {
    this.#options = options;
    this.#bits = options.repository.index.table.count;
    this.#whole = BitSet.create(this.#bits);
  }

  /** The id of the tree that stands in for this one, or `undefined` where it cannot be read. */
  async mend(treeId: string, path: ByteString = ""): Promise<string | undefined> {
    const { repository, signal, onTree } = this.#options;
    signal?.throwIfAborted();
    const entry = this.#find("tree", treeId);
    if (entry < 0) return undefined;
    if (entry < this.#bits && this.#whole.has(entry)) return treeId;
    const known = this.#mended.get(treeId);
    if (known !== undefined) return known;
    let nodes: TreeNode[];
    try {
      nodes = await repository.loadTree(treeId, { signal });
    } catch (error) {
      // Only what is certainly damaged: a store that fails now may answer tomorrow.
      if (isComebackError(error, "repository.damaged")) return undefined;
      throw error;
    }
    onTree?.();
    const result = await this.#mendNodes(nodes, path);
    if (result === undefined) {
      if (entry < this.#bits) this.#whole.add(entry);
      return treeId;
    }
    const json = encodeTree(result);
    const id = sha256(json).toString("hex");
    await this.#options.store?.(id, json);
    this.#mended.set(treeId, id);
    return id;
  }

  /** The nodes as they have to be, or `undefined` where nothing changes. */
  async #mendNodes(nodes: readonly TreeNode[], path: ByteString): Promise<TreeNode[] | undefined> {
    let changed = false;
    const result: TreeNode[] = [];
    for (const node of nodes) {
      const own = `${path}/${node.name}`;
      const mended = node.type === "dir" ? await this.#folder(node, own) : this.#entry(node, own);
      if (mended !== node) changed = true;
      if (mended !== undefined) result.push(mended);
    }
    if (isInOrder(result)) return changed ? result : undefined;
    return result.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }

  async #folder(node: TreeNode, path: ByteString): Promise<TreeNode> {
    const subtree = node.subtree === undefined ? undefined : await this.mend(node.subtree, path);
    if (subtree !== undefined) return subtree === node.subtree ? node : { ...node, subtree };
    this.#note("folder-emptied", path);
    await this.#options.store?.(EMPTY_TREE_ID, EMPTY_TREE);
    return { ...node, subtree: EMPTY_TREE_ID };
  }

  #entry(node: TreeNode, path: ByteString): TreeNode | undefined {
    // restic's own words for what it could not tell. Others may be a newer writer's.
    const isInvalid = node.type_text === "" || node.type_text === "irregular";
    if (node.type === "unknown" && isInvalid) {
      this.#note("entry-removed", path);
      return undefined;
    }
    return node.type === "file" ? this.#file(node, path) : node;
  }

  #file(node: TreeNode, path: ByteString): TreeNode {
    const { table } = this.#options.repository.index;
    const content: string[] = [];
    let size = 0;
    for (const id of node.content ?? []) {
      const entry = this.#find("data", id);
      if (entry < 0) continue;
      const { length, uncompressedLength } = table.locationOf(entry);
      size += uncompressedLength || length - BOX_OVERHEAD_BYTES;
      content.push(id);
    }
    const isCut = content.length !== (node.content?.length ?? 0);
    const isListed = Array.isArray(node.content);
    if (!isCut && isListed && size === Number(node.size)) return node;
    this.#note(isCut ? "content-cut" : "size-fixed", path);
    return { ...node, content, size };
  }

  /** Takes back what was noted since there were so many: it is not going to be done. */
  forgetMendings(count: number): void {
    this.mendings.length = Math.min(this.mendings.length, count);
    this.mendingCount = count;
  }

  #find(type: "data" | "tree", id: string): number {
    return this.#options.repository.index.table.find(type, idWords(id, this.#words));
  }

  #note(kind: MendingKind, path: ByteString): void {
    this.mendingCount++;
    if (this.mendings.length < PROBLEMS_KEPT_MAX) this.mendings.push({ kind, path });
  }
}

/** restic design, "Trees and Data": ascending by raw name. */
function isInOrder(nodes: readonly TreeNode[]): boolean {
  return nodes.every((node, i) => i === 0 || node.name >= (nodes[i - 1] as TreeNode).name);
}
