import type { TreeNode } from "../tree/types.ts";
import type { PendingDirectory } from "./tree-builder.ts";

type PartialNodes = (TreeNode | string | undefined)[];

/**
 * Makes trees of what is finished in folders that are not: `directories` are those, each behind the
 * one above it, the top first. `add` stores one tree and gives its id. Returns the id of the top,
 * or `undefined` where nothing is finished.
 *
 * What an earlier checkpoint has of entries that the walk has not come to yet is taken over: a
 * backup that is interrupted twice loses nothing of what the first run stored.
 */
export function collectPartialTree(
  directories: readonly PendingDirectory[],
  add: (nodes: PartialNodes) => string,
): string | undefined {
  const below = new Map<PendingDirectory, { place: number; node: TreeNode }[]>();
  for (const directory of directories.toReversed()) {
    const subtree = treeOf(directory, below.get(directory) ?? [], add);
    const { parent, place, node } = directory;
    if (parent === undefined) return subtree;
    if (subtree === undefined) continue;
    const siblings = below.get(parent) ?? [];
    siblings.push({ place, node: { ...(node as TreeNode), subtree } });
    below.set(parent, siblings);
  }
  return undefined;
}

function treeOf(
  directory: PendingDirectory,
  below: readonly { readonly place: number; readonly node: TreeNode }[],
  add: (nodes: PartialNodes) => string,
): string | undefined {
  if (!directory.isEntered) return directory.resumedTreeId;
  const isAsInParent = directory.unchanged && directory.previousTreeId !== undefined;
  // What equals the parent snapshot's is found there.
  const nodes: PartialNodes = isAsInParent ? [] : [...directory.nodes];
  for (const { place, node } of below) nodes[place] = node;
  for (const node of directory.resumed?.rest() ?? []) nodes.push(node);
  return nodes.some((node) => node !== undefined) ? add(nodes) : undefined;
}
