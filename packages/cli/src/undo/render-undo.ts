import type { DamagedLine, LeftOver, UndoReport } from "@comeback/operations/undo";
import { isClean } from "@comeback/operations/undo";
import { formatLocalTime, formatMany } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";

/** What would be undone, in the order in which that would happen. */
export function renderLeftOver(leftOver: readonly LeftOver[], palette: Palette): string[] {
  if (leftOver.length === 0) return ["nothing is left over"];
  return leftOver.toReversed().flatMap(({ runId, header, steps, damagedLines }) => {
    const since = header === undefined ? "" : `, since ${localTime(header.startedAtMs)}`;
    const plan = header === undefined ? "" : ` of ${header.plan}`;
    const title = `run ${runId}${plan} left ${formatMany(steps.length, "thing")}${since}`;
    return [
      palette.bold(printableText(title)),
      ...steps.map(({ description, isDone, failure }) => {
        const notes = isDone ? [] : ["perhaps not finished"];
        if (failure !== undefined) notes.push(`failed before: ${failure}`);
        const note = notes.length === 0 ? "" : palette.dim(` (${printableText(notes.join("; "))})`);
        return `  undo ${printableText(description)}${note}`;
      }),
      ...damageLines(damagedLines, palette),
    ];
  });
}

/** What was undone, and what was not. */
export function renderUndo(reports: readonly UndoReport[], palette: Palette): string[] {
  if (reports.length === 0) return ["nothing is left over"];
  return reports.flatMap((report) => {
    const { runId, plan, undone, failed, damagedLines, setAside } = report;
    const state = isClean(report) ? palette.green("clean") : palette.red("not clean");
    return [
      `${palette.bold(printableText(`run ${runId}${plan === "" ? "" : ` of ${plan}`}`))}: ${state}`,
      ...undone.map((description) => `  undone: ${printableText(description)}`),
      ...failed.flatMap(({ description, message }) => [
        `  ${palette.red("failed:")} ${printableText(description)}`,
        `    ${printableText(message)}`,
      ]),
      ...damageLines(damagedLines, palette),
      ...asideLines(setAside),
    ];
  });
}

export function leftOverMessage(leftOver: readonly LeftOver[]): string {
  return JSON.stringify({
    message_type: "undo_plan",
    runs: leftOver.toReversed().map(({ runId, header, journalPath, steps, damagedLines }) => ({
      run: runId,
      plan: header?.plan ?? null,
      started_at: header === undefined ? null : new Date(header.startedAtMs).toISOString(),
      journal: journalPath,
      steps: steps.map(({ description, step, isDone, failure }) => ({
        description,
        kind: step.kind,
        is_finished: isDone,
        ...(failure === undefined ? {} : { failure }),
      })),
      damaged_lines: damagedLines,
    })),
  });
}

export function undoMessage(reports: readonly UndoReport[]): string {
  return JSON.stringify({
    message_type: "undo",
    runs: reports.map(({ runId, plan, journalPath, undone, failed, damagedLines, setAside }) => ({
      run: runId,
      plan: plan === "" ? null : plan,
      journal: journalPath,
      undone,
      failed: failed.map(({ description, message }) => ({ description, message })),
      damaged_lines: damagedLines,
      ...(setAside === undefined ? {} : { set_aside: setAside }),
    })),
  });
}

function damageLines(damagedLines: readonly DamagedLine[], palette: Palette): string[] {
  return damagedLines.flatMap(({ number, text }) => [
    `  ${palette.red("damaged:")} line ${number} of its journal cannot be read:`,
    `    ${printableText(text)}`,
  ]);
}

function asideLines(setAside: string | undefined): string[] {
  if (setAside === undefined) return [];
  return [
    "  look whether what it announced is still there: nobody knows how it is undone",
    `  the journal is cleared, and kept as ${printableText(setAside)}`,
  ];
}

function localTime(atMs: number): string {
  return formatLocalTime(new Date(atMs).toISOString());
}
