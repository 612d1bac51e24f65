import type { Finding } from "@comeback/core";
import { formatMany } from "../terminal/format-values.ts";
import { padEndTo, wrapWords } from "../terminal/display-width.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import type { FindingGroup } from "./check/check-plans.ts";

const STATE_COLUMNS = 8;
const INDENT = " ".repeat(STATE_COLUMNS + 2);
const COLUMNS_MAX = 80;
const STATES: Readonly<Record<Finding["state"], keyof Palette>> = {
  passed: "green",
  warning: "yellow",
  failed: "red",
  unknown: "yellow",
};

/** What is not as it should be; "unknown" never counts as passed. */
export function isInTheWay({ state }: Finding): boolean {
  return state === "failed" || state === "unknown";
}

export function renderFindings(
  groups: readonly FindingGroup[],
  palette: Palette,
  columns: number,
): string[] {
  const width = Math.min(columns, COLUMNS_MAX) - INDENT.length;
  const lines = groups
    .filter(({ findings }) => findings.length > 0)
    .flatMap(({ title, findings }) => [
      palette.bold(printableText(title)),
      ...findings.flatMap((finding) => renderFinding(finding, palette, width)),
      "",
    ]);
  return [...lines, conclusion(groups.flatMap(({ findings }) => findings))];
}

function renderFinding(finding: Finding, palette: Palette, width: number): string[] {
  const { state, subject, message, next } = finding;
  const text = wrapWords(printableText(`${subject}: ${message}`), width);
  const advice = next === undefined ? [] : wrapWords(printableText(`next: ${next}`), width);
  const [first = "", ...rest] = [...text, ...advice];
  const shown = palette[STATES[state]](padEndTo(state, STATE_COLUMNS));
  return [`  ${shown}${first}`, ...rest.map((line) => `${INDENT}${line}`)];
}

function conclusion(findings: readonly Finding[]): string {
  const count = (state: Finding["state"]): number =>
    findings.filter((finding) => finding.state === state).length;
  const words = [
    ...(count("failed") > 0 ? [`${count("failed")} failed`] : []),
    ...(count("unknown") > 0 ? [`${count("unknown")} unknown`] : []),
    ...(count("warning") > 0 ? [formatMany(count("warning"), "warning")] : []),
  ];
  return words.length === 0 ? "all is as it should be" : words.join(", ");
}
