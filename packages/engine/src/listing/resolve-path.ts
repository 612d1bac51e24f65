import type { ByteString, OperationOptions } from "@comeback/core";
import { ComebackError, displayText } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { TreeNode } from "../tree/types.ts";
import { pathComponents } from "./snapshot-path.ts";

export interface ResolvedPath {
  /** The entry that the path names; none for the top of the snapshot itself. */
  readonly node: TreeNode | undefined;
  /** The tree of the folder that the path names; none for anything but folders. */
  readonly treeId: string | undefined;
}

/**
 * What `path` names below the tree `treeId`. Names are taken as they are, symbolic links are not
 * followed. Fails with `snapshot.path-not-found`.
 */
export async function resolvePath(
  repository: Repository,
  treeId: string,
  path: ByteString,
  options: OperationOptions = {},
): Promise<ResolvedPath> {
  let current: ResolvedPath = { node: undefined, treeId };
  let walked = "";
  for (const name of pathComponents(path)) {
    if (current.treeId === undefined) throw notThere(walked, "is not a folder");
    const nodes = await repository.loadTree(current.treeId, options);
    walked += `/${name}`;
    const node = nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw notThere(walked, "is not in the snapshot");
    current = { node, treeId: node.type === "dir" ? node.subtree : undefined };
  }
  return current;
}

/** The tree of the folder at `path`, for `SNAPSHOT:path`. */
export async function resolveFolder(
  repository: Repository,
  treeId: string,
  path: ByteString,
  options: OperationOptions = {},
): Promise<string> {
  const resolved = await resolvePath(repository, treeId, path, options);
  if (resolved.treeId === undefined) throw notThere(path, "is not a folder");
  return resolved.treeId;
}

function notThere(path: ByteString, why: string): ComebackError {
  return new ComebackError("snapshot.path-not-found", `${displayText(path)} ${why}`, {
    next: "list what there is with `comeback ls SNAPSHOT`",
  });
}
