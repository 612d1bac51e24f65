import type { EntryMetadata, ExtendedAttribute } from "@comeback/core";
import { goModeFromStat } from "../tree/mode.ts";
import { isSameTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";

export interface ChangeDetection {
  readonly ignoreCtime: boolean;
  readonly ignoreInode: boolean;
  readonly withAtime: boolean;
}

/**
 * Whether a file's content may be taken from the parent snapshot without reading it: restic's rule
 * (same type, mtime, size, ctime and inode, the last two unless told otherwise).
 */
export function isContentUnchanged(
  node: TreeNode,
  metadata: EntryMetadata,
  detection: ChangeDetection,
): boolean {
  return (
    node.type === "file" &&
    metadata.type === "file" &&
    node.size === metadata.sizeBytes &&
    isSameTime(node.mtime, metadata.mtime) &&
    (detection.ignoreInode || node.inode === metadata.inode) &&
    (detection.ignoreCtime || detection.ignoreInode || isSameTime(node.ctime, metadata.ctime))
  );
}

/**
 * Whether an entry's node would say the same as the parent's, content and subtree aside. Instants
 * are compared, not texts: another time zone alone is no reason to store a tree again.
 */
export function isNodeUnchanged(
  node: TreeNode,
  metadata: EntryMetadata,
  detection: ChangeDetection,
): boolean {
  const { type } = metadata;
  const isDevice = type === "dev" || type === "chardev";
  const hasLinks = type === "file" || type === "symlink" || isDevice;
  return (
    node.type === type &&
    node.mode === goModeFromStat(metadata.mode) &&
    node.inode === metadata.inode &&
    node.device_id === metadata.deviceId &&
    node.uid === metadata.uid &&
    node.gid === metadata.gid &&
    node.size === (type === "file" ? metadata.sizeBytes : 0) &&
    node.links === (hasLinks ? metadata.links : 0) &&
    isSameTime(node.mtime, metadata.mtime) &&
    isSameTime(node.ctime, metadata.ctime) &&
    hasSameAtime(node, metadata, detection) &&
    node.user === metadata.user &&
    node.group === metadata.group &&
    (type !== "symlink" || node.linktarget === metadata.linkTarget) &&
    (!isDevice || (node.device ?? 0) === (metadata.device ?? 0)) &&
    hasSameAttributes(node.extended_attributes, metadata.extendedAttributes) &&
    node.error === undefined &&
    node.unknown === undefined &&
    node.generic_attributes === undefined
  );
}

function hasSameAtime(
  node: TreeNode,
  metadata: EntryMetadata,
  detection: ChangeDetection,
): boolean {
  if (detection.withAtime) return isSameTime(node.atime, metadata.atime);
  return node.atime === node.mtime || isSameTime(node.atime, metadata.mtime);
}

function hasSameAttributes(
  stored: readonly ExtendedAttribute[] | undefined,
  current: readonly ExtendedAttribute[] | undefined,
): boolean {
  const count = stored?.length ?? 0;
  if (count !== (current?.length ?? 0)) return false;
  for (let i = 0; i < count; i++) {
    const a = stored?.[i] as ExtendedAttribute;
    const b = current?.[i] as ExtendedAttribute;
    if (a.name !== b.name || Buffer.compare(a.value, b.value) !== 0) return false;
  }
  return true;
}
