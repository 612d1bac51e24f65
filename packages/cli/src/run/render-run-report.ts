import { ExitCode, type RunOutcome } from "@comeback/core";
import type { RunReport } from "@comeback/operations";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatBytes, formatCount, formatDuration } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { renderTable } from "../terminal/table.ts";
import { outcomeText } from "./outcome-text.ts";

const EXIT_CODES: Readonly<Record<RunOutcome, ExitCode>> = {
  ok: ExitCode.done,
  warning: ExitCode.sourceIncomplete,
  failed: ExitCode.failed,
  skipped: ExitCode.skipped,
};

export function exitCodeOfRun({ run }: RunReport): ExitCode {
  return EXIT_CODES[run.outcome ?? "failed"];
}

/** What became of each source, and of the whole. */
export function renderRunReport(report: RunReport, palette: Palette): string[] {
  const { run, sources } = report;
  const rows = sources.map(({ name, capture, outcome }) => {
    const summary = capture?.result.summary;
    const stored = capture?.stored ?? [];
    return [
      printableText(name),
      capture?.type ?? "-",
      stored.length === 0
        ? "-"
        : stored.map(({ destination, snapshot }) => `${shortId(snapshot.id)} ${destination.name}`),
      summary === undefined ? "-" : formatCount(summary.total_files_processed),
      summary === undefined ? "-" : formatBytes(summary.total_bytes_processed),
      summary === undefined ? "-" : formatBytes(summary.data_added_packed),
      outcomeText(outcome, palette),
    ];
  });
  const columns = [
    { title: "Source" },
    { title: "Type" },
    { title: "Snapshot" },
    { title: "Files", align: "right" as const },
    { title: "Size", align: "right" as const },
    { title: "Stored", align: "right" as const },
    { title: "Outcome" },
  ];
  const took = formatDuration((run.endedAtMs ?? run.startedAtMs) - run.startedAtMs);
  const why = run.message === undefined ? "" : `: ${printableText(run.message)}`;
  const last = `${run.plan} ${outcomeText(run.outcome ?? "failed", palette)} after ${took}${why}`;
  return [...(rows.length === 0 ? [] : ["", ...renderTable(columns, rows), ""]), last];
}

export function runReportMessage({ run, sources }: RunReport): object {
  return {
    message_type: "summary",
    ...run,
    sources: sources.map(({ name, capture, outcome, failure, deviations }) => ({
      name,
      outcome,
      ...(failure === undefined ? {} : { failure }),
      deviations,
      backupType: capture?.type,
      snapshots: (capture?.stored ?? []).map(({ destination, snapshot }) => ({
        destination: destination.name,
        id: snapshot.id,
      })),
      summary: capture?.result.summary,
    })),
  };
}
