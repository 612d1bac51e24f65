import type { ByteString, ExtendedAttribute, NodeType } from "@comeback/core";

/**
 * A JSON value that we hand on without understanding it. Numbers that a double cannot hold are
 * `JSON.rawJSON` objects, so that a rewrite gives back the digits that were there (within one
 * thread: a message to another one makes plain objects of them).
 */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * One entry of a tree as restic's format has it (restic `internal/restic/node.go`); the field
 * names are the JSON keys. Times stay the texts they are stored as: they carry the writer's zone,
 * and an unchanged entry must be written back byte by byte. 64-bit numbers are `bigint` only where
 * a double is not exact.
 */
export type TreeNode = {
  /** Raw bytes, unquoted; never empty, "." or "..", without "/" and NUL. */
  name: ByteString;
  /** "unknown" where a newer writer used a word we do not know: it stands in `type_text`. */
  type: NodeType | "unknown";
  /** Go's `os.FileMode`, see mode.ts. */
  mode: number;
  mtime: string;
  atime: string;
  ctime: string;
  uid: number;
  gid: number;
  user: string;
  group: string;
  inode: number | bigint;
  device_id: number | bigint;
  size: number | bigint;
  links: number;
  /** Raw bytes. */
  linktarget?: ByteString | undefined;
  extended_attributes?: readonly ExtendedAttribute[] | undefined;
  generic_attributes?: Readonly<Record<string, JsonValue>> | undefined;
  /** `st_rdev` of a device; absent is 0. */
  device?: number | bigint | undefined;
  /** Blob ids of a file's data; null or absent for everything else. */
  content?: readonly string[] | null | undefined;
  subtree?: string | undefined;
  error?: string | undefined;
  type_text?: string | undefined;
  /** Keys of other writers, kept for a rewrite, in their order. */
  unknown?: Readonly<Record<string, JsonValue>> | undefined;
};
