import type { WalkedNode } from "@comeback/engine";

export const SORT_MODES = ["name", "size", "time", "mtime", "atime", "ctime", "extension"] as const;
export type SortMode = (typeof SORT_MODES)[number];

type Compare = (a: WalkedNode, b: WalkedNode) => number;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byTime =
  (field: "mtime" | "atime" | "ctime"): Compare =>
  (a, b) =>
    Date.parse(a.node[field]) - Date.parse(b.node[field]);
const extensionOf = ({ node }: WalkedNode): string => /\.[^.]*$/.exec(node.name)?.[0] ?? "";

const COMPARE: Readonly<Record<SortMode, Compare>> = {
  name: (a, b) => byText(a.path, b.path),
  size: (a, b) => Number(a.node.size) - Number(b.node.size),
  time: byTime("mtime"),
  mtime: byTime("mtime"),
  atime: byTime("atime"),
  ctime: byTime("ctime"),
  extension: (a, b) => byText(extensionOf(a), extensionOf(b)),
};

/** Smallest, oldest, first of the alphabet at the top; equal ones keep their order. */
export function sortNodes(nodes: WalkedNode[], mode: SortMode, reverse: boolean): WalkedNode[] {
  const sorted = nodes.sort(COMPARE[mode]);
  return reverse ? sorted.reverse() : sorted;
}
