import { displayText } from "@comeback/core";
import type {
  Mending,
  MendingKind,
  SnapshotFinding,
  SnapshotRepairPlan,
  SnapshotRepairResult,
} from "@comeback/engine";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatLocalTime, formatMany } from "../terminal/format-values.ts";
import { printableName, printableText } from "../terminal/printable.ts";
import { namedFew } from "./named-few.ts";

const MENDING_WORDS: Readonly<Record<MendingKind, string>> = {
  "content-cut": "lost content is cut out",
  "size-fixed": "its size is set right",
  "folder-emptied": "its list of entries is lost: it is empty now",
  "entry-removed": "it is of no known type, and left out",
};

export function renderMendings(mendings: readonly Mending[], count: number): string[] {
  const lines = mendings.map(({ kind, path }) => `${printableName(path)}: ${MENDING_WORDS[kind]}`);
  return namedFew(lines, count);
}

export function mendingMessages(mendings: readonly Mending[]): unknown[] {
  return mendings.map(({ kind, path }) => ({ kind, path: displayText(path) }));
}

/** What has to be cut out of which snapshot. */
export function renderSnapshotPlan(plan: SnapshotRepairPlan): string[] {
  const { snapshots, damagedSnapshotFiles, forget } = plan;
  const lines: string[] = [];
  for (const { name, why } of damagedSnapshotFiles) {
    const going = forget ? "; it goes" : "";
    lines.push(`snapshot ${shortId(name)} cannot be read: ${printableText(why)}${going}`);
  }
  for (const snapshot of snapshots) {
    if (snapshot.state === "sound") continue;
    lines.push(`${titleOf(snapshot)}${hopelessText(snapshot, forget)}`);
    lines.push(...renderMendings(snapshot.mendings, snapshot.mendingCount));
  }
  const sound = snapshots.filter(({ state }) => state === "sound").length;
  lines.push(`${formatMany(sound, "snapshot")} of ${snapshots.length} sound`);
  return lines;
}

function titleOf({ id, time, paths }: SnapshotFinding): string {
  const what = paths.length === 0 ? "" : ` of ${paths.join(", ")}`;
  return printableText(`snapshot ${shortId(id)} from ${formatLocalTime(time)}${what}`);
}

function hopelessText({ state, isHeld }: SnapshotFinding, forget: boolean): string {
  if (state !== "unreadable") return "";
  const lost = ": nothing of it can be read";
  if (!forget) return `${lost}; with --forget it goes`;
  return isHeld ? `${lost}, but it is held and stays` : `${lost}; it goes`;
}

export function renderSnapshotResult(
  { mended, removed }: SnapshotRepairResult,
  { forget }: SnapshotRepairPlan,
): string[] {
  const how = forget ? "in place of" : "beside";
  const lines = mended.map(({ old, id }) => `saved snapshot ${shortId(id)} ${how} ${shortId(old)}`);
  lines.push(...removed.map((id) => `removed snapshot ${shortId(id)}`));
  return lines.length === 0 ? ["no snapshot is changed"] : lines;
}

export function snapshotRepairMessage(
  plan: SnapshotRepairPlan,
  result?: SnapshotRepairResult,
): string {
  return JSON.stringify({
    message_type: "summary",
    dry_run: result === undefined,
    damaged_snapshot_files: plan.damagedSnapshotFiles,
    snapshots: plan.snapshots.map(({ id, state, tree, mendings, mendingCount }) => ({
      id,
      state,
      tree,
      changes: mendingMessages(mendings),
      change_count: mendingCount,
    })),
    ...(result === undefined
      ? {}
      : {
          repaired: result.mended.map(({ old, id }) => ({
            old_snapshot_id: old,
            new_snapshot_id: id,
          })),
          removed: result.removed,
        }),
  });
}
