import type {
  ByteString,
  EntryMetadata,
  ExtendedAttribute,
  NodeType,
  SourceProblem,
} from "@comeback/core";
import {
  type FileStatus,
  getXattr,
  groupName,
  isSystemCallError,
  listXattrs,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  userName,
  type XattrSubject,
} from "@comeback/platform";

/** The kind of entry that a mode stands for; `undefined` for one that Linux does not have. */
export function nodeTypeOfMode(mode: number): NodeType | undefined {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "file";
    case S_IFDIR:
      return "dir";
    case S_IFLNK:
      return "symlink";
    case S_IFBLK:
      return "dev";
    case S_IFCHR:
      return "chardev";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    default:
      return undefined;
  }
}

/** What goes beyond the status: only some kinds of entry have it. */
export type MetadataExtras = {
  linkTarget?: ByteString | undefined;
  extendedAttributes?: readonly ExtendedAttribute[] | undefined;
};

export function metadataOf(
  type: NodeType,
  status: FileStatus,
  extras: MetadataExtras,
): EntryMetadata {
  const { linkTarget, extendedAttributes } = extras;
  const metadata: Mutable<EntryMetadata> = {
    type,
    mode: status.mode,
    mtime: status.mtime,
    atime: status.atime,
    ctime: status.ctime,
    uid: status.uid,
    gid: status.gid,
    user: userName(status.uid),
    group: groupName(status.gid),
    inode: status.inode,
    deviceId: status.deviceId,
    sizeBytes: status.sizeBytes,
    links: status.links,
  };
  if (linkTarget !== undefined) metadata.linkTarget = linkTarget;
  if (type === "dev" || type === "chardev") metadata.device = status.device;
  if (extendedAttributes !== undefined) metadata.extendedAttributes = extendedAttributes;
  return metadata;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * All extended attributes that can be listed, POSIX ACLs (`system.posix_acl_*`) among them, in the
 * kernel's order; `undefined` where there are none. What cannot be read is reported and left out.
 */
export function readAttributes(
  subject: XattrSubject,
  path: ByteString,
  onProblem: (problem: SourceProblem) => void,
): readonly ExtendedAttribute[] | undefined {
  let names: ByteString[];
  try {
    names = listXattrs(subject);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    onProblem({ path, during: "xattr", message: error.reason });
    return undefined;
  }
  if (names.length === 0) return undefined;
  const attributes: ExtendedAttribute[] = [];
  for (const name of names) {
    try {
      const value = getXattr(subject, name);
      if (value !== undefined) attributes.push({ name, value });
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      onProblem({ path, during: "xattr", message: `${name}: ${error.reason}` });
    }
  }
  return attributes.length === 0 ? undefined : attributes;
}
