import { formatBytes, formatDuration, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import type { ReplicationPlan, ReplicationStage } from "./plan-replication.ts";
import type { ReplicationResult } from "./replicate.ts";

/** Problems that are named; the rest is counted. */
const NAMED_MAX = 20;

function sizeOf({ files }: ReplicationStage): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function planMessage(plan: ReplicationPlan, location: string, dryRun: boolean): string {
  return JSON.stringify({
    message_type: "plan",
    target: location,
    dry_run: dryRun,
    stages: plan.stages.map((stage) => ({
      action: stage.action,
      type: stage.type,
      files: stage.files.length,
      bytes: sizeOf(stage),
    })),
    present_files: plan.present.length,
    surplus_files: plan.surplus,
    differing: plan.differing.map(({ path }) => path),
  });
}

export function renderPlan(plan: ReplicationPlan, location: string, removes: boolean): string[] {
  const lines = plan.stages.map((stage) => {
    const files = formatMany(stage.files.length, `${stage.type} file`);
    return `${stage.action} ${files}, ${formatBytes(sizeOf(stage))}`;
  });
  const there = formatMany(plan.present.length, "file");
  const surplus = formatMany(plan.surplus, "file");
  return [
    `to ${printableText(location)}, where ${there} of the repository are:`,
    ...(lines.length === 0 ? ["nothing to do"] : lines),
    ...(plan.surplus > 0 && !removes
      ? [`${surplus} there are not in the source any more; --delete removes them`]
      : []),
  ];
}

export function summaryMessage(result: ReplicationResult, elapsedMs: number): string {
  return JSON.stringify({
    message_type: "summary",
    sent_files: result.sentFiles,
    sent_bytes: result.sentBytes,
    removed_files: result.removedFiles,
    compared_files: result.comparedFiles,
    wrong: result.wrong,
    seconds_elapsed: Math.round(elapsedMs) / 1000,
  });
}

export function renderSummary(result: ReplicationResult, elapsedMs: number): string[] {
  const { sentFiles, sentBytes, removedFiles, comparedFiles, wrong } = result;
  const compared =
    comparedFiles === undefined
      ? "NOT verified: the target has no way to compare"
      : `${formatMany(comparedFiles, "file")} compared`;
  return [
    `sent ${formatMany(sentFiles, "file")} (${formatBytes(sentBytes)}), removed ` +
      `${formatMany(removedFiles, "file")}, ${compared}, in ${formatDuration(elapsedMs)}`,
    ...wrong.slice(0, NAMED_MAX).map((path) => `not as in the source: ${printableText(path)}`),
    ...(wrong.length > NAMED_MAX ? [`and ${wrong.length - NAMED_MAX} more`] : []),
  ];
}
