import type { ByteString, SourceEntry } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { idWordsFromBytes } from "../index/blob-table.ts";
import type { FinishedPack, Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { encodeNode } from "../tree/encode.ts";
import type { TreeNode } from "../tree/types.ts";
import type { NodeCursor } from "./node-cursor.ts";
import type { PackStore } from "./pack-store.ts";
import { collectPartialTree } from "./partial-tree.ts";

/** A directory whose tree is not stored yet, because entries of it are still under way. */
export interface PendingDirectory {
  readonly path: ByteString;
  readonly parent: PendingDirectory | undefined;
  /** Where the directory's own node goes in `parent.nodes`. */
  readonly place: number;
  readonly node: TreeNode | undefined;
  /** The directory's own entry is as the parent snapshot has it. */
  readonly nodeUnchanged: boolean;
  /** The same directory's tree in the parent snapshot. */
  readonly previousTreeId: string | undefined;
  /** The same directory's tree in the checkpoint that this backup goes on from. */
  readonly resumedTreeId: string | undefined;
  /** The entries of that tree, from when the walk enters the directory until it leaves it. */
  resumed: NodeCursor | undefined;
  isEntered: boolean;
  /** In order of names. Text once it is final, `undefined` where the entry was left out. */
  readonly nodes: (TreeNode | string | undefined)[];
  /** Every entry so far is as in the previous tree, so that its id may be used again. */
  unchanged: boolean;
  /**
   * The parent's tree of it, or of a folder above it, cannot be read. Others below may be lost with
   * it although the index lists them: all are stored once more.
   */
  storeAnew: boolean;
  /** Entries under way, plus one while the directory is still being walked. */
  outstanding: number;
}

export interface TreeCounts {
  dirsNew: number;
  dirsChanged: number;
  dirsUnmodified: number;
  treeBlobs: number;
  bytesAdded: number;
  bytesAddedPacked: number;
}

/** Stores trees bottom-up as their directories become complete. */
export class TreeBuilder {
  readonly counts: TreeCounts = {
    dirsNew: 0,
    dirsChanged: 0,
    dirsUnmodified: 0,
    treeBlobs: 0,
    bytesAdded: 0,
    bytesAddedPacked: 0,
  };
  readonly #repository: Repository;
  readonly #packer: Packer;
  readonly #packStore: PackStore;
  readonly #onDirectory:
    | ((directory: PendingDirectory, action: DirectoryAction) => void)
    | undefined;
  readonly #words = new Uint32Array(8);
  readonly #storedAnew = new Set<string>();
  /** Those that are not stored yet; each stands behind the one above it. */
  readonly #open = new Set<PendingDirectory>();
  rootTreeId: string | undefined;

  constructor(options: {
    readonly repository: Repository;
    readonly packStore: PackStore;
    readonly onDirectory?:
      | ((directory: PendingDirectory, action: DirectoryAction) => void)
      | undefined;
  }) {
    this.#repository = options.repository;
    this.#packStore = options.packStore;
    this.#onDirectory = options.onDirectory;
    this.#packer = options.repository.newPacker("tree");
  }

  /** A directory is about to be walked, or to be waited for. */
  open(directory: PendingDirectory): void {
    this.#open.add(directory);
  }

  /** An entry of `directory` got its final node, or none. */
  complete(directory: PendingDirectory, place: number, node: TreeNode | undefined): void {
    // Text is a third of the object's size, and this directory may have a million entries.
    directory.nodes[place] = node === undefined || directory.unchanged ? node : encodeNode(node);
    this.release(directory);
  }

  /** One thing less to wait for; the last one stores the tree, and so on upwards. */
  release(directory: PendingDirectory): void {
    if (--directory.outstanding > 0) return;
    this.#open.delete(directory);
    const { id, action: treeAction } = this.#store(directory);
    // As restic counts: a directory whose own metadata changed is a changed one.
    const isTouched = treeAction === "unmodified" && !directory.nodeUnchanged;
    const action = isTouched ? "changed" : treeAction;
    this.#onDirectory?.(directory, action);
    if (directory.parent === undefined) {
      this.rootTreeId = id;
      return;
    }
    if (action === "new") this.counts.dirsNew++;
    else if (action === "changed") this.counts.dirsChanged++;
    else this.counts.dirsUnmodified++;
    if (action !== "unmodified") directory.parent.unchanged = false;
    const node = directory.node as TreeNode;
    node.subtree = id;
    this.complete(directory.parent, directory.place, node);
  }

  /** Uploads the last tree pack. */
  finish(): void {
    const pack = this.takePack();
    if (pack !== undefined) this.#packStore.add(pack, "tree");
  }

  /** The last tree pack, for whoever uploads it in another way. */
  takePack(): FinishedPack | undefined {
    return this.#packer.isEmpty ? undefined : this.#packer.finish();
  }

  /** Entries of directories that are not stored yet. */
  get openEntries(): number {
    let entries = 0;
    for (const { nodes, resumed } of this.#open) entries += nodes.length + (resumed?.length ?? 0);
    return entries;
  }

  /**
   * Packs what is finished so far as trees of their own, and gives the id of the one at the top:
   * whole trees of finished folders, and of folders still open the entries that are final.
   * `undefined` where nothing is finished yet.
   */
  addPartialTrees(): string | undefined {
    if (this.rootTreeId !== undefined) return this.rootTreeId;
    return collectPartialTree([...this.#open], (nodes) => this.#add(encodeParts(nodes), false));
  }

  #store(directory: PendingDirectory): { id: string; action: DirectoryAction } {
    const { previousTreeId } = directory;
    // Neither serialised nor hashed again: nothing in it changed.
    if (directory.unchanged && previousTreeId !== undefined) {
      return { id: previousTreeId, action: "unmodified" };
    }
    const id = this.#add(encodeParts(directory.nodes), directory.storeAnew);
    if (previousTreeId === undefined) return { id, action: "new" };
    return { id, action: previousTreeId === id ? "unmodified" : "changed" };
  }

  /** Puts a tree into the pack unless it is stored already; returns its id. */
  #add(json: Buffer, storeAnew: boolean): string {
    const idBytes = sha256(json);
    const id = idBytes.toString("hex");
    const entry = this.#claim(storeAnew, idBytes, id);
    if (entry >= 0) {
      this.counts.bytesAddedPacked += this.#packer.add(idBytes, entry, json);
      this.counts.bytesAdded += json.length;
      this.counts.treeBlobs++;
      if (this.#packer.isFull) this.#packStore.add(this.#packer.finish(), "tree");
    }
    return id;
  }

  #claim(storeAnew: boolean, idBytes: Uint8Array, id: string): number {
    const { table } = this.#repository.index;
    const words = idWordsFromBytes(idBytes, this.#words);
    if (!storeAnew || this.#storedAnew.has(id)) return table.claim("tree", words);
    this.#storedAnew.add(id);
    return table.claimAgain("tree", words);
  }
}

export type DirectoryAction = "new" | "changed" | "unmodified";

/** The tree's JSON (see tree/encode.ts), from nodes that are partly text already. */
function encodeParts(nodes: readonly (TreeNode | string | undefined)[]): Buffer {
  const texts: string[] = [];
  for (const node of nodes) {
    if (node !== undefined) texts.push(typeof node === "string" ? node : encodeNode(node));
  }
  return Buffer.from(`{"nodes":[${texts.join(",")}]}\n`);
}

/** A directory as the walk enters it: one is outstanding, the walk itself. */
export function pendingDirectory(options: {
  readonly entry: SourceEntry | undefined;
  readonly parent: PendingDirectory | undefined;
  readonly place: number;
  readonly node: TreeNode | undefined;
  readonly nodeUnchanged: boolean;
  readonly previousTreeId: string | undefined;
  readonly resumedTreeId: string | undefined;
}): PendingDirectory {
  const { entry, ...rest } = options;
  return {
    ...rest,
    path: entry?.path ?? "/",
    resumed: undefined,
    isEntered: false,
    nodes: [],
    unchanged: options.previousTreeId !== undefined,
    storeAnew: options.parent?.storeAnew ?? false,
    outstanding: 1,
  };
}
