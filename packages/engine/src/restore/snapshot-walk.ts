import { setImmediate } from "node:timers/promises";
import { type ByteString, WALK_SLICE_MS } from "@comeback/core";
import type { TreeNode } from "../tree/types.ts";
import { type LoadedNodes, loadNodes } from "./load-nodes.ts";
import type { RestoreRun } from "./restore-run.ts";

/** What a walk does at each step. `Directory` is whatever it knows of one. */
export interface WalkVisitor<Directory> {
  locationOf(directory: Directory, name: ByteString): ByteString;
  /** Before what is in it. */
  directory(parent: Directory, node: TreeNode, isSelected: boolean): Directory;
  contents(directory: Directory, loaded: LoadedNodes): void;
  /** A selected entry that is no directory. The walk waits for a promise. */
  entry(directory: Directory, node: TreeNode): Promise<void> | undefined;
  /** The tree of a directory cannot be had. */
  unreadable(directory: Directory, error: unknown): void;
  /** After all that is in it. */
  leave(directory: Directory): void;
}

/** Walks through what is selected of a tree, in the order of the names, depth first. */
export class SnapshotWalk<Directory> {
  readonly #run: RestoreRun;
  readonly #visitor: WalkVisitor<Directory>;
  #sliceEnd = 0;

  constructor(run: RestoreRun, visitor: WalkVisitor<Directory>) {
    this.#run = run;
    this.#visitor = visitor;
  }

  async walk(treeId: string, directory: Directory): Promise<void> {
    await this.#giveOthersATurn();
    let loaded: LoadedNodes;
    try {
      loaded = await loadNodes(this.#run.repository, treeId, this.#run.signal);
    } catch (error) {
      this.#run.signal.throwIfAborted();
      this.#visitor.unreadable(directory, error);
      return this.#visitor.leave(directory);
    }
    this.#visitor.contents(directory, loaded);
    const { nodes } = loaded;
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as TreeNode;
      // What has been visited is garbage, also while a long directory is still being walked.
      nodes[i] = undefined;
      const location = (): ByteString => this.#visitor.locationOf(directory, node.name);
      const { isSelected, mayDescend } = this.#run.select(location, node.type === "dir");
      if (node.type === "dir") {
        if (isSelected || mayDescend) await this.#descend(directory, node, isSelected, mayDescend);
      } else if (isSelected) {
        const wait = this.#visitor.entry(directory, node);
        if (wait !== undefined) await wait;
        else if (i % 64 === 63) await this.#giveOthersATurn();
      }
    }
    this.#visitor.leave(directory);
  }

  async #descend(
    parent: Directory,
    node: TreeNode,
    isSelected: boolean,
    mayDescend: boolean,
  ): Promise<void> {
    const directory = this.#visitor.directory(parent, node, isSelected);
    if (!mayDescend) return this.#visitor.leave(directory);
    if (node.subtree !== undefined) return this.walk(node.subtree, directory);
    this.#visitor.unreadable(directory, new Error("the snapshot does not say what is in it"));
    this.#visitor.leave(directory);
  }

  /** Answers of workers and disks are waiting while trees come out of memory. */
  async #giveOthersATurn(): Promise<void> {
    this.#run.signal.throwIfAborted();
    const now = performance.now();
    if (now < this.#sliceEnd) return;
    await setImmediate();
    this.#sliceEnd = performance.now() + WALK_SLICE_MS;
  }
}
