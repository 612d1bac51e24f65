/** Values of linux/posix_acl_xattr.h. */
const VERSION = 2;
const NO_ID = 0xffffffff;
const TAGS = { userOwner: 1, user: 2, groupOwner: 4, group: 8, mask: 16, other: 32 } as const;

export const ACCESS_ACL = "system.posix_acl_access";
export const DEFAULT_ACL = "system.posix_acl_default";

interface AclEntry {
  readonly tag: number;
  readonly id: number;
  readonly permissions: number;
}

/** The attribute value of an access list in the short form of `setfacl`, with numeric ids. */
export function encodeAcl(text: string): Buffer {
  const entries = text.split(",").map(parseEntry);
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(VERSION, 0);
  for (const [i, { tag, id, permissions }] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(permissions, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  }
  return bytes;
}

function parseEntry(text: string): AclEntry {
  const match = /^([ugmo])[a-z]*:(\d*):([r-])([w-])([x-])$/.exec(text);
  if (match === null) throw new Error(`not an entry of an access list: ${text}`);
  const [, kind = "", id = "", read, write, execute] = match;
  const permissions = (read === "r" ? 4 : 0) + (write === "w" ? 2 : 0) + (execute === "x" ? 1 : 0);
  return { tag: tagOf(kind, id !== ""), id: id === "" ? NO_ID : Number(id), permissions };
}

function tagOf(kind: string, isNamed: boolean): number {
  if (kind === "u") return isNamed ? TAGS.user : TAGS.userOwner;
  if (kind === "g") return isNamed ? TAGS.group : TAGS.groupOwner;
  return kind === "m" ? TAGS.mask : TAGS.other;
}
