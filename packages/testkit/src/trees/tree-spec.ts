import type { ByteString, Instant } from "@comeback/core";

/** What every entry may have. What is not given gets the same value in every tree. */
interface CommonSpec {
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: Instant;
  readonly atime?: Instant;
  readonly xattrs?: Readonly<Record<ByteString, string | Uint8Array>>;
}

interface AccessListSpec {
  /** In the short form of `setfacl`: `u::rwx,u:1000:r-x,g::r-x,m::rwx,o::---`. */
  readonly acl?: string;
}

export interface FileSpec extends CommonSpec, AccessListSpec {
  readonly type: "file";
  /** Text, bytes, or bytes and holes one after the other; default: empty. */
  readonly content?: string | Uint8Array | readonly (Uint8Array | HoleSpec)[];
}

export interface HoleSpec {
  readonly holeBytes: number;
}

export interface DirectorySpec extends CommonSpec, AccessListSpec {
  readonly type: "dir";
  readonly entries?: TreeSpec;
  /** What new entries of the folder inherit. */
  readonly defaultAcl?: string;
}

export interface SymlinkSpec extends CommonSpec {
  readonly type: "symlink";
  readonly target: ByteString;
}

/** Another name of an entry that is not a folder. */
export interface HardLinkSpec {
  readonly type: "hardlink";
  /** Path below the tree's top. */
  readonly to: ByteString;
}

export interface SpecialSpec extends CommonSpec, AccessListSpec {
  readonly type: "fifo" | "socket";
}

export interface DeviceSpec extends CommonSpec, AccessListSpec {
  readonly type: "dev" | "chardev";
  readonly major: number;
  readonly minor: number;
}

export type EntrySpec =
  | FileSpec
  | DirectorySpec
  | SymlinkSpec
  | HardLinkSpec
  | SpecialSpec
  | DeviceSpec;

/** The entries of a folder by their names, which are bytes. */
export type TreeSpec = ReadonlyMap<ByteString, EntrySpec>;

/** A tree from an object: for names that are plain text. */
export function treeOf(entries: Readonly<Record<ByteString, EntrySpec>>): TreeSpec {
  return new Map(Object.entries(entries));
}

export function file(content: FileSpec["content"], rest: Partial<FileSpec> = {}): FileSpec {
  return { type: "file", ...rest, ...(content === undefined ? {} : { content }) };
}

export function directory(
  entries: Readonly<Record<ByteString, EntrySpec>>,
  rest: Partial<DirectorySpec> = {},
): DirectorySpec {
  return { type: "dir", ...rest, entries: treeOf(entries) };
}
