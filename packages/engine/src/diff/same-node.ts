import type { ExtendedAttribute } from "@comeback/core";
import { isSameTime, parseTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";

/** Compared one by one: times, lists and what other writers added are compared apart. */
const PLAIN_FIELDS = [
  "name",
  "type",
  "type_text",
  "mode",
  "uid",
  "gid",
  "user",
  "group",
  "links",
  "linktarget",
  "subtree",
  "error",
] as const satisfies readonly (keyof TreeNode)[];
const NUMBER_FIELDS = ["inode", "device_id", "size", "device"] as const;
const TIME_FIELDS = ["mtime", "atime", "ctime"] as const;

/** Whether nothing but the content may differ, as restic compares two versions of an entry. */
export function isSameButContent(a: TreeNode, b: TreeNode): boolean {
  return (
    PLAIN_FIELDS.every((field) => a[field] === b[field]) &&
    NUMBER_FIELDS.every((field) => BigInt(a[field] ?? 0) === BigInt(b[field] ?? 0)) &&
    TIME_FIELDS.every(
      (field) => a[field] === b[field] || isSameTime(a[field], parseTime(b[field])),
    ) &&
    isSameAttributes(a.extended_attributes ?? [], b.extended_attributes ?? []) &&
    JSON.stringify(a.generic_attributes ?? {}) === JSON.stringify(b.generic_attributes ?? {})
  );
}

/** A list that is not there is another than one without blobs, as for restic. */
export function isSameContent(a: TreeNode, b: TreeNode): boolean {
  const first = a.content ?? undefined;
  const second = b.content ?? undefined;
  if (first === undefined || second === undefined) return first === second;
  return first.length === second.length && first.every((id, i) => id === second[i]);
}

function isSameAttributes(
  a: readonly ExtendedAttribute[],
  b: readonly ExtendedAttribute[],
): boolean {
  const values = new Map(b.map(({ name, value }) => [name, value]));
  return (
    a.length === b.length &&
    a.every(({ name, value }) => {
      const other = values.get(name);
      return other !== undefined && Buffer.compare(value, other) === 0;
    })
  );
}
