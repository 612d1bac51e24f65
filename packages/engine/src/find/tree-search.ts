import { hash } from "node:crypto";
import type { ByteString, ComebackError, OperationOptions } from "@comeback/core";
import {
  damaged,
  displayText,
  FIND_REMEMBERED_MATCHES_MAX,
  FIND_REMEMBERED_TREES_MAX,
  isComebackError,
} from "@comeback/core";
import { idWords } from "../index/blob-table.ts";
import type { WalkedNode } from "../listing/walk-snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";

/** What a search makes of an entry. */
export interface Visit<Match> {
  readonly matches: readonly Match[];
  /** Of a folder: whether anything below may match. */
  readonly descends: boolean;
}

export interface WalkCall<Match> extends OperationOptions {
  onMatch(match: Match): void;
  /** Told of a folder that cannot be read; the walk goes on without it. */
  onProblem(error: ComebackError): void;
}

interface Folder<Match> {
  /** The tree's entry in the blob table; -1 where the index does not list it. */
  readonly tree: number;
  readonly treeId: string;
  readonly path: ByteString;
  readonly nodes: readonly TreeNode[];
  next: number;
  /** What was found below; `undefined` once it is too much to be remembered, or not complete. */
  found: Match[] | undefined;
}

interface Remembered<Match> {
  readonly pathHash: number;
  readonly found: readonly Match[];
}

/**
 * Walks one snapshot after the other, and remembers what was found below which tree: where the same
 * tree stands at the same path again, it is not loaded again. What matches may depend on the path.
 */
export class TreeSearch<Match> {
  readonly #repository: Repository;
  readonly #visit: (walked: WalkedNode) => Visit<Match>;
  readonly #remembered = new Map<number, Remembered<Match>>();
  /** Trees below which nothing was found: the hash of their path. Most are. */
  readonly #barren = new Map<number, number>();
  #rememberedMatches = 0;
  readonly #words = new Uint32Array(8);

  constructor(repository: Repository, visit: (walked: WalkedNode) => Visit<Match>) {
    this.#repository = repository;
    this.#visit = visit;
  }

  async walk(treeId: string, call: WalkCall<Match>): Promise<void> {
    const stack: Folder<Match>[] = [];
    await this.#enter(stack, treeId, "", call);
    for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
      const node = folder.nodes[folder.next++];
      if (node === undefined) {
        stack.pop();
        this.#leave(folder, stack.at(-1));
        continue;
      }
      const path = `${folder.path}/${node.name}`;
      const visit = this.#visit({ path, node, parentTreeId: folder.treeId });
      for (const match of visit.matches) {
        folder.found?.push(match);
        call.onMatch(match);
      }
      if (node.type !== "dir" || !visit.descends) continue;
      if (node.subtree === undefined) {
        this.#problem(folder, damaged(nameOf(path), "its entry names no tree"), call);
      } else {
        await this.#enter(stack, node.subtree, path, call);
      }
    }
  }

  async #enter(
    stack: Folder<Match>[],
    treeId: string,
    path: ByteString,
    call: WalkCall<Match>,
  ): Promise<void> {
    call.signal?.throwIfAborted();
    const parent = stack.at(-1);
    const tree = this.#repository.index.table.find("tree", idWords(treeId, this.#words));
    const known = this.#known(tree, path);
    if (known !== undefined) {
      for (const match of known) call.onMatch(match);
      addFound(parent, known);
      return;
    }
    try {
      const nodes = await this.#repository.loadTree(treeId, { signal: call.signal });
      nodes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
      stack.push({ tree, treeId, path, nodes, next: 0, found: [] });
    } catch (error) {
      call.signal?.throwIfAborted();
      if (!isComebackError(error, "repository.damaged")) throw error;
      const why = `${error.message}: ${error.why ?? ""}`;
      this.#problem(parent, damaged(nameOf(path), why, error), call);
    }
  }

  #known(tree: number, path: ByteString): readonly Match[] | undefined {
    const remembered = this.#remembered.get(tree);
    const barren = this.#barren.get(tree);
    if (remembered === undefined && barren === undefined) return undefined;
    const pathHash = hashOf(path);
    if (barren === pathHash) return [];
    return remembered?.pathHash === pathHash ? remembered.found : undefined;
  }

  #leave(folder: Folder<Match>, parent: Folder<Match> | undefined): void {
    const { tree, found } = folder;
    addFound(parent, found);
    if (found === undefined || tree < 0) return;
    if (this.#remembered.size + this.#barren.size >= FIND_REMEMBERED_TREES_MAX) return;
    const pathHash = hashOf(folder.path);
    if (found.length === 0) {
      this.#barren.set(tree, pathHash);
    } else if (this.#rememberedMatches + found.length <= FIND_REMEMBERED_MATCHES_MAX) {
      this.#rememberedMatches += found.length;
      this.#remembered.set(tree, { pathHash, found });
    }
  }

  /** A folder that is not complete is not remembered: its damage is told for every snapshot. */
  #problem(folder: Folder<Match> | undefined, error: ComebackError, call: WalkCall<Match>): void {
    if (folder !== undefined) folder.found = undefined;
    call.onProblem(error);
  }
}

function addFound<Match>(
  folder: Folder<Match> | undefined,
  found: readonly Match[] | undefined,
): void {
  if (folder?.found === undefined) return;
  const isTooMuch =
    found === undefined || folder.found.length + found.length > FIND_REMEMBERED_MATCHES_MAX;
  if (isTooMuch) folder.found = undefined;
  else for (const match of found) folder.found.push(match);
}

function nameOf(path: ByteString): string {
  return `the listing of folder ${path === "" ? "/" : displayText(path)}`;
}

/** 48 bits tell the few paths of one tree apart, and take no room for the text. */
function hashOf(path: ByteString): number {
  return hash("sha1", Buffer.from(path, "latin1"), "buffer").readUIntBE(0, 6);
}
