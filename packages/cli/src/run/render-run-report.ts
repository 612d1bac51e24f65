import { ExitCode, type RunOutcome } from "@comeback/core";
import type { RunReport } from "@comeback/operations";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatBytes, formatCount, formatDuration } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { displayWidth, shortenMiddle, wrapWords } from "../terminal/display-width.ts";
import { type Cell, type Column, renderTable } from "../terminal/table.ts";
import { colourOutcome, outcomeCell } from "../terminal/outcome-text.ts";

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
export function renderRunReport(
  { run, sources }: RunReport,
  palette: Palette,
  columns: number,
): string[] {
  const took = formatDuration((run.endedAtMs ?? run.startedAtMs) - run.startedAtMs);
  const worst = run.outcome ?? "failed";
  const last = `${run.plan} ${colourOutcome(worst, worst, palette)} after ${took}`;
  const why = run.message === undefined ? [] : wrapWords(printableText(run.message), columns - 2);
  return [
    ...(sources.length === 0 ? [] : ["", ...sourceTable(sources, palette, columns), ""]),
    last,
    ...why.map((line) => `  ${line}`),
  ];
}

function sourceTable(sources: RunReport["sources"], palette: Palette, columns: number): string[] {
  const table = (nameColumns: number): string[] =>
    renderTable(
      COLUMNS,
      sources.map((source) => sourceRow(source, palette, nameColumns)),
    );
  const whole = table(Infinity);
  const tooMuch = Math.max(...whole.map(displayWidth)) - columns;
  if (tooMuch <= 0) return whole;
  const longest = Math.max(...sources.map(({ name }) => displayWidth(name)));
  return table(Math.max(NAME_COLUMNS_MIN, longest - tooMuch));
}

const NAME_COLUMNS_MIN = 8;
/** Of a destination's name, so much stands beside a snapshot's id. */
const DESTINATION_COLUMNS = 14;
const COLUMNS: readonly Column[] = [
  { title: "Source" },
  { title: "Type" },
  { title: "Snapshot" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "Stored", align: "right" },
  { title: "Outcome" },
];

function sourceRow(
  { name, capture, outcome }: RunReport["sources"][number],
  palette: Palette,
  nameColumns: number,
): Cell[] {
  const summary = capture?.result.summary;
  const stored = capture?.stored ?? [];
  const places = stored.map(
    ({ destination, snapshot }) =>
      `${shortId(snapshot.id)} ${shortenMiddle(printableText(destination.name), DESTINATION_COLUMNS)}`,
  );
  return [
    shortenMiddle(printableText(name), nameColumns),
    TYPES[capture?.type ?? "none"],
    places.length === 0 ? "-" : places,
    summary === undefined ? "-" : formatCount(summary.total_files_processed),
    summary === undefined ? "-" : formatBytes(summary.total_bytes_processed),
    summary === undefined ? "-" : formatBytes(summary.data_added_packed),
    outcomeCell(outcome, palette),
  ];
}

const TYPES = { full: "full", differential: "diff.", incremental: "incr.", none: "-" } as const;

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
