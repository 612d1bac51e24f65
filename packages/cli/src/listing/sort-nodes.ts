import type { Instant } from "@comeback/core";
import type { WalkedNode } from "@comeback/engine";
import { parseTime } from "@comeback/engine/tree";

export const SORT_MODES = ["name", "size", "time", "mtime", "atime", "ctime", "extension"] as const;
export type SortMode = (typeof SORT_MODES)[number];

/** What entries are compared by; between equal ones their paths decide. */
type KeyOf = (item: WalkedNode) => bigint | string;

const NANOSECONDS = 1_000_000_000n;

function nanosecondsOf({ seconds, nanoseconds }: Instant): bigint {
  return BigInt(seconds) * NANOSECONDS + BigInt(nanoseconds);
}

function timeOf(field: "mtime" | "atime" | "ctime"): KeyOf {
  return ({ node }) => nanosecondsOf(parseTime(node[field]));
}

const KEYS: Readonly<Record<Exclude<SortMode, "name">, KeyOf>> = {
  size: ({ node }) => BigInt(node.size),
  time: timeOf("mtime"),
  mtime: timeOf("mtime"),
  atime: timeOf("atime"),
  ctime: timeOf("ctime"),
  extension: ({ node }) => /\.[^.]*$/.exec(node.name)?.[0] ?? "",
};

/**
 * Smallest, oldest, first of the alphabet at the top. By name they are in the order of a walk
 * already: a folder before what is in it.
 */
export function sortNodes(nodes: WalkedNode[], mode: SortMode, reverse: boolean): WalkedNode[] {
  const sorted = mode === "name" ? nodes : sortedBy(nodes, KEYS[mode]);
  return reverse ? sorted.reverse() : sorted;
}

function sortedBy(nodes: readonly WalkedNode[], keyOf: KeyOf): WalkedNode[] {
  const keyed = nodes.map((item) => ({ item, key: keyOf(item) }));
  keyed.sort((a, b) => compare(a.key, b.key) || compare(a.item.path, b.item.path));
  return keyed.map(({ item }) => item);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
