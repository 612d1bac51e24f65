import type { PackAction, PlannedPack, PrunePlan, PruneResult } from "@comeback/engine";
import { formatBytes, formatCount, formatDuration, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { renderTable } from "../terminal/table.ts";

const ID_DIGITS = 10;
const HOUR_MS = 3_600_000;

/** What happens to a pack, for a person. */
function actionText(action: PackAction, { mode }: PrunePlan): string {
  const isInstant = mode === "instant";
  switch (action) {
    case "keep":
      return "keep";
    case "repack":
      return isInstant ? "repack" : "repack and mark";
    case "remove":
      return isInstant ? "delete" : "mark";
    case "adopt":
      return isInstant ? "delete: in no index" : "mark: in no index";
    case "delete":
      return "delete: marked before";
    case "wait":
      return "wait: marked before";
    case "recover":
      return "take back: needed again";
    case "drop":
      return "forget: file is missing";
  }
}

const SHOWN_ACTIONS: readonly PackAction[] = [
  "keep",
  "repack",
  "remove",
  "adopt",
  "delete",
  "wait",
  "recover",
  "drop",
];

/** A plan for a person; with `names` every pack that does not stay as it is. */
export function renderPrunePlan(plan: PrunePlan, names: boolean): string[] {
  const { used, duplicate, unused, packs, packBytes, repackRemove } = plan;
  const blobs = renderTable(
    [{ title: "Blobs" }, { title: "Count", align: "right" }, { title: "Size", align: "right" }],
    [
      ["in use", formatCount(used.blobs), formatBytes(used.bytes)],
      ["further copies", formatCount(duplicate.blobs), formatBytes(duplicate.bytes)],
      ["not in use", formatCount(unused.blobs), formatBytes(unused.bytes)],
    ],
  );
  const actions = SHOWN_ACTIONS.filter((action) => packs[action] > 0);
  const rows = actions.map((action) => [
    actionText(action, plan),
    formatCount(packs[action]),
    formatBytes(packBytes[action]),
  ]);
  const table = renderTable(
    [{ title: "Packs" }, { title: "Count", align: "right" }, { title: "Size", align: "right" }],
    rows,
  );
  return [
    ...blobs,
    "",
    ...table,
    "",
    ...(packs.repack > 0
      ? [`repacking leaves out ${formatBytes(repackRemove.bytes)} that is not in use`]
      : []),
    `${formatBytes(Math.max(0, plan.unusedAfterBytes))} that is not in use stays`,
    ...(plan.postponed > 0
      ? [
          `${formatMany(plan.postponed, "pack")} would be deleted, but ` +
            `${printableText(plan.postponedFor ?? "somebody")} may be building on them`,
        ]
      : []),
    ...(plan.leftOvers.files > 0 ? [renderLeftOvers(plan)] : []),
    ...(names ? plan.leftOvers.paths.map((path) => `  ${printableText(path)}`) : []),
    ...(names && plan.changes.length > 0 ? ["", ...renderChanges(plan)] : []),
  ];
}

function renderLeftOvers({ leftOvers: { files, bytes } }: PrunePlan): string {
  const what = formatMany(files, "temporary file");
  return `${what} of runs that were killed (${formatBytes(bytes)}) can be deleted`;
}

function renderChanges(plan: PrunePlan): string[] {
  return renderTable(
    [
      { title: "Pack" },
      { title: "Type" },
      { title: "Size", align: "right" },
      { title: "In use", align: "right" },
      { title: "What happens" },
    ],
    plan.changes.map(({ id, type, sizeBytes, usedBytes, action }) => [
      id.slice(0, ID_DIGITS),
      type,
      formatBytes(sizeBytes),
      formatBytes(usedBytes),
      actionText(action, plan),
    ]),
  );
}

/** Whether carrying the plan out would change anything. */
export function changesAnything({ changes, leftOvers }: PrunePlan): boolean {
  return leftOvers.files > 0 || changes.some(({ action }) => action !== "wait");
}

export function renderPruneResult(result: PruneResult, { keepDeleteMs }: PrunePlan): string[] {
  const lines: string[] = [];
  const add = (count: number, bytes: number | undefined, what: string): void => {
    const size = bytes === undefined ? "" : ` (${formatBytes(bytes)})`;
    if (count > 0) lines.push(`${what} ${formatMany(count, "pack")}${size}`);
  };
  add(result.packsWritten, result.bytesWritten, "wrote");
  add(result.packsRecovered, undefined, "took back");
  add(result.packsMarked, result.bytesMarked, "marked");
  add(result.packsDeleted, result.bytesDeleted, "deleted");
  if (result.leftOversRemoved > 0) {
    const what = formatMany(result.leftOversRemoved, "temporary file");
    lines.push(`deleted ${what} (${formatBytes(result.leftOverBytesRemoved)})`);
  }
  if (result.packsMarked > 0) {
    const time =
      keepDeleteMs < HOUR_MS
        ? formatDuration(keepDeleteMs)
        : formatMany(Math.round(keepDeleteMs / HOUR_MS), "hour");
    lines.push(`what is marked is deleted by a prune that runs ${time} from now, or later`);
  }
  return lines.length === 0 ? ["there was nothing to do"] : lines;
}

/** Ours alone: restic 0.18 has no JSON for its prune. */
export function prunePlanMessage(plan: PrunePlan, dryRun: boolean): Record<string, unknown> {
  const count = ({ blobs, bytes }: { blobs: number; bytes: number }): unknown => ({ blobs, bytes });
  return {
    message_type: "plan",
    dry_run: dryRun,
    mode: plan.mode,
    snapshots: plan.snapshots,
    keep_delete_seconds: plan.keepDeleteMs / 1000,
    used: count(plan.used),
    duplicate: count(plan.duplicate),
    unused: count(plan.unused),
    remove: count(plan.remove),
    repack: count(plan.repack),
    repack_remove: count(plan.repackRemove),
    unused_after_bytes: plan.unusedAfterBytes,
    packs: plan.packs,
    pack_bytes: plan.packBytes,
    postponed: plan.postponed,
    ...(plan.postponedFor === undefined ? {} : { postponed_for: plan.postponedFor }),
    left_overs: plan.leftOvers,
    changes: plan.changes.map(changeMessage),
  };
}

function changeMessage({ id, action, type, sizeBytes, usedBytes }: PlannedPack): unknown {
  return { pack: id, action, type, size: sizeBytes, used: usedBytes };
}

export function pruneSummaryMessage(result: PruneResult): Record<string, unknown> {
  return {
    message_type: "summary",
    mode: result.mode,
    packs_repacked: result.packsRepacked,
    packs_written: result.packsWritten,
    bytes_written: result.bytesWritten,
    packs_marked: result.packsMarked,
    bytes_marked: result.bytesMarked,
    packs_deleted: result.packsDeleted,
    bytes_deleted: result.bytesDeleted,
    packs_recovered: result.packsRecovered,
    index_files_written: result.indexFilesWritten,
    index_files_removed: result.indexFilesRemoved,
    left_overs_removed: result.leftOversRemoved,
    left_over_bytes_removed: result.leftOverBytesRemoved,
  };
}
