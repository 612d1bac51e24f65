import { padEndTo, padStartTo, shortenMiddle } from "../terminal/display-width.ts";
import { formatDuration, formatRate } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";

/** One thing that was tried, and what came of it. */
export interface TrialStep {
  readonly what: string;
  /** `partly`: what could be read is fine; `skipped`: nothing was proven, nothing failed. */
  readonly outcome: "ok" | "failed" | "partly" | "skipped";
  readonly elapsedMs: number;
  /** For a speed; none where it would say nothing. */
  readonly bytes?: number;
  /** What failed or is worth knowing, one line each. */
  readonly details: readonly string[];
}

const WHAT_COLUMNS = 48;
const RESULT_COLUMNS = 6;
const TIME_COLUMNS = 9;
const SPEED_COLUMNS = 11;
const RULE = "-".repeat(WHAT_COLUMNS + RESULT_COLUMNS + TIME_COLUMNS + SPEED_COLUMNS + 6);
const DETAILS_MAX = 10;

const NEXT_STEPS = [
  "With a repository of your own:",
  "  comeback -r /mnt/backup/me init",
  "  comeback -r /mnt/backup/me backup ~",
];

/** The top of the table, 80 columns wide. */
export function renderTrialHead(palette: Palette): string[] {
  const title = row("what was proven", "result", "time", "speed", (text) => text);
  return [palette.bold(title), RULE];
}

/** One line of the table, with its details below where there are any. */
export function renderTrialStep(step: TrialStep, palette: Palette): string[] {
  const words = { ok: "ok", failed: "FAILED", partly: "partly", skipped: "-" } as const;
  const { green, red, yellow, dim } = palette;
  const colours = { ok: green, failed: red, partly: yellow, skipped: dim } as const;
  const { what, outcome, elapsedMs, bytes, details } = step;
  const speed = bytes === undefined ? "" : formatRate(bytes, elapsedMs);
  const time = outcome === "skipped" ? "" : formatDuration(elapsedMs);
  const rest = details.length - DETAILS_MAX;
  return [
    row(what, words[outcome], time, speed, colours[outcome]),
    ...details.slice(0, DETAILS_MAX).map((line) => `    ${line}`),
    ...(rest > 0 ? [`    and ${rest} more`] : []),
  ];
}

function row(
  what: string,
  result: string,
  time: string,
  speed: string,
  colour: (text: string) => string,
): string {
  const cells = [
    padEndTo(shortenMiddle(what, WHAT_COLUMNS), WHAT_COLUMNS),
    colour(padEndTo(result, RESULT_COLUMNS)),
    padStartTo(time, TIME_COLUMNS),
    padStartTo(speed, SPEED_COLUMNS),
  ];
  return cells.join("  ").trimEnd();
}

/** The verdict below the table. */
export function renderVerdict(
  steps: readonly TrialStep[],
  elapsedMs: number,
  palette: Palette,
): string[] {
  const failed = steps.filter(({ outcome }) => outcome === "failed").length;
  const partly = steps.filter(({ outcome }) => outcome === "partly").length;
  const time = formatDuration(elapsedMs);
  if (failed > 0) return [RULE, palette.red(`Not everything came back: see above. (${time})`)];
  if (partly > 0) {
    return [
      RULE,
      palette.yellow(`What could be read came back; the rest is named above. (${time})`),
    ];
  }
  return [
    RULE,
    `${palette.green("Everything came back.")} All of it took ${time}.`,
    "",
    ...NEXT_STEPS,
  ];
}

/** The same for a script. */
export function trialMessage(steps: readonly TrialStep[], elapsedMs: number): string {
  return JSON.stringify({
    message_type: "summary",
    ok: steps.every(({ outcome }) => outcome !== "failed"),
    total_duration: elapsedMs / 1000,
    steps: steps.map(({ what, outcome, elapsedMs: stepMs, bytes, details }) => ({
      what,
      outcome,
      duration: stepMs / 1000,
      ...(bytes === undefined ? {} : { bytes }),
      details,
    })),
  });
}
