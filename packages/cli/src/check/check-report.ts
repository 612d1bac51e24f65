import type { CheckCoverage, CheckHint, CheckProblem, CheckResult } from "@comeback/engine";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLocalTime,
  formatMany,
  formatPercent,
} from "../terminal/format-values.ts";
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
    ...(result.coverage === undefined ? {} : { coverage: coverageMessage(result.coverage) }),
    suggest_prune: hints.some(({ kind }) => kind === "pack-not-indexed" || kind === "mixed-pack"),
  });
}

function coverageMessage(coverage: CheckCoverage): Record<string, unknown> {
  const { packs, bytes, verifiedPacks, verifiedBytes, recentPacks, recentBytes } = coverage;
  const { oldestMs } = coverage;
  return {
    packs,
    bytes,
    verified_packs: verifiedPacks,
    verified_bytes: verifiedBytes,
    ...(recentPacks === undefined ? {} : { recent_packs: recentPacks, recent_bytes: recentBytes }),
    ...(oldestMs === undefined ? {} : { oldest: new Date(oldestMs).toISOString() }),
  };
}

/** How much of the repository has been read so far, by this check and those before it. */
function renderCoverage(coverage: CheckCoverage | undefined): string[] {
  if (coverage === undefined) return [];
  const { packs, bytes, verifiedPacks, verifiedBytes, recentBytes, oldestMs } = coverage;
  const share = (part: number): string => formatPercent(bytes === 0 ? 1 : part / bytes);
  const recent = recentBytes === undefined ? "" : `, ${share(recentBytes)} within the time`;
  const oldest =
    oldestMs === undefined
      ? ""
      : `, the oldest reading from ${formatLocalTime(new Date(oldestMs).toISOString())}`;
  return [
    `read on this machine so far: ${formatCount(verifiedPacks)} of ` +
      `${formatMany(packs, "pack")} (${share(verifiedBytes)} of the bytes${recent})${oldest}`,
  ];
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
    ...renderCoverage(result.coverage),
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
