import type { PlanAssessment, PlanVerdict } from "@comeback/operations";
import { wrapWords } from "../terminal/display-width.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { renderTable } from "../terminal/table.ts";
import { formatAge } from "./format-age.ts";

const RANK: readonly PlanVerdict[] = ["safe", "warning", "at risk", "unprotected"];
const REASONS_SHOWN_MAX = 3;
const OPEN_SHOWN_MAX = 20;

export function worstVerdict(plans: readonly PlanAssessment[]): PlanVerdict {
  return plans.reduce<PlanVerdict>(
    (worst, { verdict }) => (RANK.indexOf(verdict) > RANK.indexOf(worst) ? verdict : worst),
    "safe",
  );
}

function paint(verdict: PlanVerdict, palette: Palette): string {
  if (verdict === "safe") return palette.green(verdict);
  return verdict === "warning" ? palette.yellow(verdict) : palette.red(verdict);
}

export interface StatusPage {
  readonly plans: readonly PlanAssessment[];
  readonly nowMs: number;
  /** Left behind by runs that did not end, one line each. */
  readonly leftOver: readonly string[];
}

/** The one screen that answers "am I safe?". */
export function renderStatus(page: StatusPage, palette: Palette, columns: number): string[] {
  const { plans, nowMs, leftOver } = page;
  const rows = plans.map((plan) => [
    printableText(plan.plan),
    paint(plan.verdict, palette),
    plan.exposureMs === undefined ? "never" : formatAge(plan.exposureMs),
    plan.objectiveMs === undefined ? "-" : formatAge(plan.objectiveMs),
    copiesText(plan),
    plan.state?.lastProof === undefined ? "never" : formatAge(nowMs - plan.state.lastProof.atMs),
    nextText(plan, nowMs),
  ]);
  const table = renderTable(
    [
      { title: "Plan" },
      { title: "State" },
      { title: "Last good", align: "right" },
      { title: "Allowed", align: "right" },
      { title: "Copies" },
      { title: "Proven", align: "right" },
      { title: "Next run", align: "right" },
    ],
    rows,
  );
  const all = plans.flatMap(({ plan, reasons, notes }) =>
    [...reasons, ...notes].slice(0, REASONS_SHOWN_MAX).map((reason) => `${plan}: ${reason}`),
  );
  const left = all.length - OPEN_SHOWN_MAX;
  const more = left > 0 ? [`and ${left} more: \`comeback status PLAN\` tells all of one`] : [];
  const open = [...all.slice(0, OPEN_SHOWN_MAX), ...more];
  return [
    headline(page, palette),
    "",
    ...table,
    ...[...open, ...leftOver].flatMap((text, place) => {
      const lines = wrapWords(printableText(text), columns - 2);
      const first = place === 0 ? [""] : [];
      return [...first, ...lines.map((line, at) => `${at === 0 ? "- " : "  "}${line}`)];
    }),
  ];
}

function headline({ plans, leftOver }: StatusPage, palette: Palette): string {
  if (plans.length === 0) return palette.yellow("Nothing is protected: there is no plan yet.");
  const verdict = worstVerdict(plans);
  const bad = plans.filter((plan) => plan.verdict === verdict).length;
  if (leftOver.length > 0 && verdict !== "unprotected" && verdict !== "at risk") {
    return palette.yellow("Something was left behind by a run: `comeback run --undo` clears it.");
  }
  const isOnly = plans.length === 1;
  const share = isOnly ? "." : `: ${bad} of ${plans.length} plans.`;
  switch (verdict) {
    case "safe":
      return palette.green(isOnly ? "You are safe." : `You are safe: all ${bad} plans are.`);
    case "warning":
      return palette.yellow(`You are safe, but something wants to be looked at${share}`);
    case "at risk":
      return palette.red(`You are at risk${share}`);
    case "unprotected":
      return palette.red(`You are not protected${share}`);
  }
}

/** "2/3": so many of the places hold what they should, and not much older than the newest. */
function copiesText({ standings, exposureMs }: PlanAssessment): string {
  const places = new Set(standings.map(({ destination }) => destination));
  const lacking = new Set(
    standings.filter(({ ageMs }) => ageMs === undefined).map(({ destination }) => destination),
  );
  const oldest = Math.max(0, ...standings.map(({ ageMs }) => ageMs ?? 0));
  const lag = exposureMs === undefined || oldest <= exposureMs ? "" : `, ${formatAge(oldest)}`;
  return `${places.size - lacking.size}/${places.size}${lag}`;
}

function nextText({ nextRunMs, state }: PlanAssessment, nowMs: number): string {
  if (state?.isRunning === true) return "running";
  return nextRunMs === undefined ? "-" : `in ${formatAge(nextRunMs - nowMs)}`;
}
