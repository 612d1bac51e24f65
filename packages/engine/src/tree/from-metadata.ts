import type { ByteString, EntryMetadata } from "@comeback/core";
import { goModeFromStat } from "./mode.ts";
import { formatTime } from "./time-text.ts";
import type { TimeZone } from "./time-zone.ts";
import type { TreeNode } from "./types.ts";

export type NodeOptions = {
  /** Store access times; otherwise `atime` repeats `mtime`, so that reading changes no tree. */
  readonly withAtime: boolean;
  /** The zone of the times; default: this process's. */
  readonly zone?: TimeZone;
};

/**
 * The node of an entry, without `content` and `subtree`: exactly the fields restic fills for its
 * type on Linux (restic `internal/fs/node.go`), so that both tools give a directory the same id.
 */
export function nodeFromMetadata(
  name: ByteString,
  metadata: EntryMetadata,
  options: NodeOptions,
): TreeNode {
  const { type } = metadata;
  const mtime = formatTime(metadata.mtime, options.zone);
  const isDevice = type === "dev" || type === "chardev";
  const node: TreeNode = {
    name,
    type,
    mode: goModeFromStat(metadata.mode),
    mtime,
    atime: options.withAtime ? formatTime(metadata.atime, options.zone) : mtime,
    ctime: metadata.ctime === metadata.mtime ? mtime : formatTime(metadata.ctime, options.zone),
    uid: metadata.uid,
    gid: metadata.gid,
    user: metadata.user,
    group: metadata.group,
    inode: metadata.inode,
    device_id: metadata.deviceId,
    size: type === "file" ? metadata.sizeBytes : 0,
    // Directories, fifos and sockets have no link count in a tree.
    links: type === "file" || type === "symlink" || isDevice ? metadata.links : 0,
    content: null,
  };
  if (type === "symlink") node.linktarget = metadata.linkTarget;
  if (isDevice) node.device = metadata.device;
  if (metadata.extendedAttributes !== undefined && metadata.extendedAttributes.length > 0) {
    node.extended_attributes = metadata.extendedAttributes;
  }
  return node;
}
