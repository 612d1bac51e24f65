import type { ByteString } from "./byte-string.ts";

/** The kinds of entry a tree may hold, with restic's own words for them. */
export type NodeType = "file" | "dir" | "symlink" | "dev" | "chardev" | "fifo" | "socket";

export interface ExtendedAttribute {
  readonly name: ByteString;
  readonly value: Uint8Array;
}

/** An instant to the nanosecond: Unix seconds (may be negative) and 0 to 999,999,999 nanoseconds. */
export interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * What a file system says of one entry, before anything of it is stored.
 * 64-bit numbers that a double cannot hold exactly are `bigint`, all others `number`.
 */
export interface EntryMetadata {
  readonly type: NodeType;
  /** `st_mode`, permission bits included, as the kernel gives it. */
  readonly mode: number;
  readonly mtime: Instant;
  readonly atime: Instant;
  readonly ctime: Instant;
  readonly uid: number;
  readonly gid: number;
  /** Names behind uid and gid; "" where the system knows none. */
  readonly user: string;
  readonly group: string;
  readonly inode: number | bigint;
  readonly deviceId: number | bigint;
  readonly sizeBytes: number;
  readonly links: number;
  /** Target of a symlink. */
  readonly linkTarget?: ByteString;
  /** `st_rdev` of a device. */
  readonly device?: number | bigint;
  readonly extendedAttributes?: readonly ExtendedAttribute[];
}
