import type { ByteString, OperationOptions } from "@comeback/core";
import { ComebackError, displayText } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";
import { cleanPath, isWithin } from "./snapshot-path.ts";

export interface WalkOptions extends OperationOptions {
  /** List only these folders (with their own entry) and files; default: everything. */
  readonly under?: readonly ByteString[];
  /** With `under`: also what is below the folders' own entries. Everything is listed otherwise. */
  readonly recursive?: boolean;
  /** With `under`: also the folders on the way there. */
  readonly ancestors?: boolean;
}

export interface WalkedNode {
  /** Absolute within the tree, raw bytes. */
  readonly path: ByteString;
  readonly node: TreeNode;
  /** The tree that the node is an entry of. */
  readonly parentTreeId: string;
}

/**
 * All entries below a tree, as `restic ls` gives them: a folder before what is in it, names in the
 * order of their bytes. A tree that is damaged ends the walk with an error that names the folder.
 */
export async function* walkSnapshot(
  repository: Repository,
  treeId: string,
  options: WalkOptions = {},
): AsyncGenerator<WalkedNode, void, undefined> {
  const under = (options.under ?? []).map(cleanPath);
  const recursive = under.length === 0 || (options.recursive ?? false);
  const stack: Folder[] = [await openFolder(repository, treeId, "", options)];
  for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
    const node = folder.nodes[folder.next++];
    if (node === undefined) {
      stack.pop();
      continue;
    }
    const path = `${folder.path}/${node.name}`;
    const isWanted = under.length === 0 || under.some((wanted) => isWithin(path, wanted));
    const leadsOn = under.some((wanted) => isWithin(wanted, path));
    if (isWanted || (leadsOn && options.ancestors === true)) {
      yield { path, node, parentTreeId: folder.treeId };
    }
    if (node.type === "dir" && ((isWanted && recursive) || leadsOn)) {
      stack.push(await openFolder(repository, subtreeOf(node, path), path, options));
    }
  }
}

interface Folder {
  readonly treeId: string;
  readonly path: ByteString;
  readonly nodes: readonly TreeNode[];
  next: number;
}

async function openFolder(
  repository: Repository,
  treeId: string,
  path: ByteString,
  options: OperationOptions,
): Promise<Folder> {
  options.signal?.throwIfAborted();
  try {
    const nodes = await repository.loadTree(treeId, options);
    nodes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return { treeId, path, nodes, next: 0 };
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (!(cause instanceof ComebackError) || cause.code !== "repository.damaged") throw cause;
    throw folderDamaged(path, cause.why ?? cause.message, cause);
  }
}

function subtreeOf(node: TreeNode, path: ByteString): string {
  if (node.subtree !== undefined) return node.subtree;
  throw folderDamaged(path, "its entry names no tree");
}

function folderDamaged(path: ByteString, why: string, cause?: unknown): ComebackError {
  const folder = path === "" ? "/" : displayText(path);
  return new ComebackError("repository.damaged", `the listing of folder ${folder} is damaged`, {
    why,
    next: "run `comeback check --read-data` to see what else is affected",
    ...(cause === undefined ? {} : { cause }),
  });
}
