import type { ForgetGroup, ForgetPlan, Snapshot, SnapshotGrouping } from "@comeback/engine";
import { renderGroupTitle, shortId, snapshotMessage } from "../snapshots/render-snapshots.ts";
import { formatLocalTime, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Cell, type Column, renderTable } from "../terminal/table.ts";

export interface PlanLayout {
  /** What the title of a group says already. */
  readonly groupBy: SnapshotGrouping;
  readonly compact: boolean;
}

/** restic's JSON of one group; empty lists are null there. */
export function forgetGroupMessage({ key, keep, remove }: ForgetGroup): Record<string, unknown> {
  const reasons = keep.map(({ snapshot, matches }) => ({
    snapshot: snapshotMessage(snapshot),
    matches,
  }));
  return {
    tags: key.tags,
    host: key.hostname,
    paths: key.paths,
    keep: orNull(keep.map(({ snapshot }) => snapshotMessage(snapshot))),
    remove: orNull(remove.map(snapshotMessage)),
    reasons: orNull(reasons),
  };
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** Every snapshot, oldest first: those that stay with the rules that keep them, then the others. */
export function renderForgetPlan({ groups }: ForgetPlan, layout: PlanLayout): string[] {
  const { host, paths, tags } = layout.groupBy;
  return groups.flatMap((group) => [
    ...(host || paths || tags ? [renderGroupTitle(group.key)] : []),
    ...renderKept(group, layout),
    ...renderRemoved(group, layout),
  ]);
}

function renderKept({ keep }: ForgetGroup, layout: PlanLayout): string[] {
  if (keep.length === 0) return [];
  const columns: Column[] = [...columnsOf(layout), { title: "Kept because" }];
  const rows = keep
    .toReversed()
    .map(({ snapshot, matches }) => [
      ...cellsOf(snapshot, layout),
      layout.compact
        ? printableText(matches.map((reason) => reason.replace(/ snapshot$/, "")).join(", "))
        : matches.map((reason) => printableText(reason)),
    ]);
  return [`keep ${formatMany(keep.length, "snapshot")}:`, ...renderTable(columns, rows), ""];
}

function renderRemoved({ remove }: ForgetGroup, layout: PlanLayout): string[] {
  if (remove.length === 0) return [];
  const rows = remove.toReversed().map((snapshot) => cellsOf(snapshot, layout));
  const title = `remove ${formatMany(remove.length, "snapshot")}:`;
  return [title, ...renderTable(columnsOf(layout), rows), ""];
}

function columnsOf({ groupBy, compact }: PlanLayout): Column[] {
  return [
    { title: "ID" },
    { title: "Time" },
    ...(groupBy.host ? [] : [{ title: "Host" }]),
    ...(groupBy.tags ? [] : [{ title: "Tags" }]),
    ...(groupBy.paths || compact ? [] : [{ title: "Paths" }]),
  ];
}

function cellsOf(snapshot: Snapshot, { groupBy, compact }: PlanLayout): Cell[] {
  const { id, time, hostname = "", tags = [], paths } = snapshot;
  return [
    shortId(id),
    formatLocalTime(time),
    ...(groupBy.host ? [] : [printableText(hostname)]),
    ...(groupBy.tags ? [] : [printableText(tags.join(","))]),
    ...(groupBy.paths || compact ? [] : [paths.map(printableText)]),
  ];
}
