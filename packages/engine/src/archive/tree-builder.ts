import type { ByteString, SourceEntry } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { idWordsFromBytes } from "../index/blob-table.ts";
import type { Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { encodeNode } from "../tree/encode.ts";
import type { TreeNode } from "../tree/types.ts";
import type { PackStore } from "./pack-store.ts";

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

  /** An entry of `directory` got its final node, or none. */
  complete(directory: PendingDirectory, place: number, node: TreeNode | undefined): void {
    // Text is a third of the object's size, and this directory may have a million entries.
    directory.nodes[place] = node === undefined || directory.unchanged ? node : encodeNode(node);
    this.release(directory);
  }

  /** One thing less to wait for; the last one stores the tree, and so on upwards. */
  release(directory: PendingDirectory): void {
    if (--directory.outstanding > 0) return;
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
    if (!this.#packer.isEmpty) this.#packStore.add(this.#packer.finish(), "tree");
  }

  #store(directory: PendingDirectory): { id: string; action: DirectoryAction } {
    const { previousTreeId } = directory;
    // Neither serialised nor hashed again: nothing in it changed.
    if (directory.unchanged && previousTreeId !== undefined) {
      return { id: previousTreeId, action: "unmodified" };
    }
    const json = encodeParts(directory.nodes);
    const idBytes = sha256(json);
    const id = idBytes.toString("hex");
    const entry = this.#claim(directory, idBytes, id);
    if (entry >= 0) {
      this.counts.bytesAddedPacked += this.#packer.add(idBytes, entry, json);
      this.counts.bytesAdded += json.length;
      this.counts.treeBlobs++;
      if (this.#packer.isFull) this.#packStore.add(this.#packer.finish(), "tree");
    }
    if (previousTreeId === undefined) return { id, action: "new" };
    return { id, action: previousTreeId === id ? "unmodified" : "changed" };
  }

  #claim({ storeAnew }: PendingDirectory, idBytes: Uint8Array, id: string): number {
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
}): PendingDirectory {
  const { entry, ...rest } = options;
  return {
    ...rest,
    path: entry?.path ?? "/",
    nodes: [],
    unchanged: options.previousTreeId !== undefined,
    storeAnew: options.parent?.storeAnew ?? false,
    outstanding: 1,
  };
}
