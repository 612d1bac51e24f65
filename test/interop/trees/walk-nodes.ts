import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ByteString, EntryMetadata, ExtendedAttribute, NodeType } from "@comeback/core";
import {
  close,
  getXattr,
  groupName,
  listXattrs,
  O_DIRECTORY,
  O_RDONLY,
  openAt,
  AT_FDCWD,
  readDirectory,
  readLinkAt,
  statAt,
  userName,
} from "@comeback/platform";
import {
  encodeTree,
  nodeFromMetadata,
  type NodeOptions,
  type TreeNode,
} from "@comeback/engine/tree";

const TYPES: ReadonlyMap<number, NodeType> = new Map([
  [0o100000, "file"],
  [0o040000, "dir"],
  [0o120000, "symlink"],
  [0o060000, "dev"],
  [0o020000, "chardev"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
]);

/** What the files source will hand in, with nothing but the platform's calls. */
function metadataOf(dirFd: number, name: ByteString): EntryMetadata {
  const status = statAt(dirFd, name);
  const type = TYPES.get(status.mode & 0o170000)!;
  const extendedAttributes = listXattrs({ dirFd, name }).map((key): ExtendedAttribute => ({
    name: key,
    value: getXattr({ dirFd, name }, key)!,
  }));
  return {
    ...status,
    type,
    user: userName(status.uid),
    group: groupName(status.gid),
    extendedAttributes,
    ...(type === "symlink" ? { linkTarget: readLinkAt(dirFd, name) } : {}),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The tree of what lies in a folder; every file must fit into one chunk, sockets are left out. */
export function treeOfFolder(folder: ByteString, options: NodeOptions): Buffer {
  const dirFd = openAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
  try {
    const names = readDirectory(dirFd).map(({ name }) => name);
    names.sort((a, b) => (a < b ? -1 : 1));
    const nodes: TreeNode[] = [];
    for (const name of names) {
      const path = `${folder}/${name}`;
      const metadata = metadataOf(dirFd, name);
      const node = nodeFromMetadata(name, metadata, options);
      if (node.type === "socket") continue;
      if (node.type === "dir") node.subtree = sha256(treeOfFolder(path, options));
      if (node.type === "file") {
        const bytes =
          metadata.sizeBytes > 0 ? readFileSync(Buffer.from(path, "latin1")) : undefined;
        node.content = bytes === undefined ? [] : [sha256(bytes)];
      }
      nodes.push(node);
    }
    return encodeTree(nodes);
  } finally {
    close(dirFd);
  }
}
