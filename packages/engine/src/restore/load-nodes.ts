import { messageOf } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { decodeTree } from "../tree/decode.ts";
import type { TreeNode } from "../tree/types.ts";

/** The nodes of a tree, and in words what is wrong with those that had to be left out. */
export interface LoadedNodes {
  readonly nodes: (TreeNode | undefined)[];
  readonly refused: readonly string[];
}

/**
 * The nodes of a tree for a restore: one hostile or damaged entry is refused, and the others are
 * still restored. Fails where the tree cannot be had at all.
 */
export async function loadNodes(
  repository: Repository,
  id: string,
  signal: AbortSignal,
): Promise<LoadedNodes> {
  const json = await repository.loadBlob("tree", id, { signal });
  try {
    return { nodes: decodeTree(json), refused: [] };
  } catch (error) {
    return oneByOne(json, error);
  }
}

/** The slow way, for a tree that does not decode as a whole. */
function oneByOne(json: Uint8Array, wholeError: unknown): LoadedNodes {
  let list: unknown;
  try {
    list = (JSON.parse(Buffer.from(json).toString("utf8")) as { nodes?: unknown } | null)?.nodes;
  } catch {
    throw wholeError;
  }
  if (!Array.isArray(list)) throw wholeError;
  const nodes: TreeNode[] = [];
  const refused: string[] = [];
  for (const raw of list as unknown[]) {
    try {
      nodes.push(...decodeTree(Buffer.from(JSON.stringify({ nodes: [raw] }))).map(withExactLinks));
    } catch (error) {
      refused.push(whyRefused(error));
    }
  }
  return { nodes, refused };
}

function whyRefused(error: unknown): string {
  const why = (error as { why?: unknown }).why;
  return typeof why === "string" ? why : messageOf(error);
}

/** Numbers were rounded on this way: two files must not be taken for one because of it. */
function withExactLinks(node: TreeNode): TreeNode {
  const isExact = Number.isSafeInteger(node.inode) && Number.isSafeInteger(node.device_id);
  return isExact ? node : { ...node, links: 1 };
}
