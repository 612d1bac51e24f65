import type { CheckHint, CheckProblem, CheckResult } from "@comeback/engine";
import { formatBytes, formatDuration, formatMany } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableName, printableText } from "../terminal/printable.ts";
import { shortId } from "../snapshots/render-snapshots.ts";

/** Affected files that are named; the rest is counted. */
const NAMED_MAX = 20;

/** A problem as it is printed when it is found. */
export function renderCheckProblem(problem: CheckProblem, palette: Palette): string {
  return [
    `${palette.red("error:")} ${printableText(problem.message)}`,
    ...problem.details.map((detail) => `  ${printableText(detail)}`),
  ].join("\n");
}

/** restic's error message of a check; it goes to stderr. */
export function checkErrorMessage(problem: CheckProblem): string {
  const message = [problem.message, ...problem.details].join(": ");
  return JSON.stringify({ message_type: "error", message });
}

/** Whether the index itself is what has to be repaired. */
function suggestsRepairIndex({ hints, problems }: CheckResult): boolean {
  return (
    problems.some(({ kind }) => kind === "index" || kind === "pack-missing") ||
    hints.some(({ kind }) => kind === "pack-indexed-twice" || kind === "old-index-format")
  );
}

/** restic's summary message. */
export function checkSummaryMessage(result: CheckResult): string {
  const { damagedPacks, hints, problemCount } = result;
  return JSON.stringify({
    message_type: "summary",
    num_errors: problemCount,
    broken_packs: damagedPacks.length === 0 ? null : damagedPacks,
    suggest_repair_index: suggestsRepairIndex(result),
    suggest_prune: hints.some(({ kind }) => kind === "pack-not-indexed" || kind === "mixed-pack"),
  });
}

/** What was checked and what came of it: for a person. */
export function renderCheckSummary(
  result: CheckResult,
  elapsedMs: number,
  palette: Palette,
): string[] {
  const { counts, ok, problemCount } = result;
  const read =
    counts.packsRead === 0
      ? "no file contents were read; --read-data reads them all"
      : `${formatMany(counts.packsRead, "pack")} read in full, ` +
        `${formatMany(counts.blobsVerified, "blob")} verified`;
  return [
    "",
    `${formatMany(counts.snapshots, "snapshot")}, ${formatMany(counts.trees, "folder tree")}, ` +
      `${formatMany(counts.packs, "pack")} with ${formatMany(counts.blobs, "blob")} ` +
      `(${formatBytes(counts.packBytes)})`,
    read,
    "",
    ok
      ? `${palette.green("no errors were found")} in ${formatDuration(elapsedMs)}`
      : `${palette.red(`${formatMany(problemCount, "error")} found`)} in ${formatDuration(elapsedMs)}`,
  ];
}

export function renderHint({ message }: CheckHint, palette: Palette): string {
  return `${palette.yellow("note:")} ${printableText(message)}`;
}

/** What the damage means for the user's files, and what could not be looked at. */
export function renderDamage(result: CheckResult): string[] {
  const { affected, affectedIsComplete, unchecked } = result;
  const lines: string[] = [];
  if (unchecked.length > 0) {
    lines.push(
      `not checked, because the index that leads there is damaged: ${unchecked.join(", ")}`,
    );
  }
  if (affected.length > 0) {
    lines.push("these can no longer be restored whole:");
    for (const { snapshotId, path } of affected.slice(0, NAMED_MAX)) {
      lines.push(`  snapshot ${shortId(snapshotId)}: ${printableName(path)}`);
    }
    const rest = affected.length - NAMED_MAX;
    if (rest > 0 || !affectedIsComplete) {
      lines.push(`  and ${rest > 0 ? rest : "perhaps"} more`);
    }
  }
  return lines.length === 0 ? [] : ["", ...lines];
}
