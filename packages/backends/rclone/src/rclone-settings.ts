import { parseConnections } from "@comeback/backend-rest";
import { ComebackError, RCLONE_LIST_LAG_MS, RCLONE_START_MS } from "@comeback/core";
import { splitWords } from "./split-words.ts";

const ARGS = "serve restic --stdio --b2-hard-delete";
const SERVING: readonly string[] = ["serve", "restic", "--stdio"];
const LIST_LAG_MAX_MS = 10 * 60_000;
const START_MAX_MS = 60 * 60_000;

/** The settings that `-o rclone.NAME=VALUE` may name. */
export const RCLONE_SETTINGS: Readonly<Record<string, string>> = {
  program: "the rclone program (default: rclone)",
  args: `what it is called with, before the remote (default: ${ARGS})`,
  connections: "how many calls rclone gets at once (default: 5)",
  timeout: "how long rclone may take to start, such as 90s or 2m (default: 1m)",
  "list-lag": "how long the remote's lists may lack a new file, such as 10s (default: 1s)",
};

/** How rclone is run. */
export interface RcloneSettings {
  readonly program: string;
  /** All but the remote. */
  readonly args: readonly string[];
  /** What any other of rclone's commands is called with: where its configuration is, say. */
  readonly commonArgs: readonly string[];
  /** Belongs to the program, before a command's name. */
  readonly programArgs: readonly string[];
  readonly connections: number;
  readonly startMs: number;
  readonly listLagMs: number;
}

/** Reads the settings. */
export function parseRcloneSettings(
  settings: ReadonlyMap<string, string> = new Map(),
): RcloneSettings {
  const [program, ...first] = splitWords("-o rclone.program", settings.get("program") ?? "rclone");
  if (program === undefined) {
    throw new ComebackError("option.invalid", "-o rclone.program names no program", {
      next: "name rclone, or where it is",
    });
  }
  const args = splitWords("-o rclone.args", settings.get("args") ?? ARGS);
  const duration = (name: string, standardMs: number, maxMs: number): number =>
    parseDurationMs(`-o rclone.${name}`, settings.get(name), { standardMs, maxMs });
  return {
    program,
    args: [...first, ...args],
    commonArgs: args.filter((word) => !SERVING.includes(word)),
    programArgs: first,
    connections: parseConnections("rclone", settings.get("connections")),
    startMs: duration("timeout", RCLONE_START_MS, START_MAX_MS),
    listLagMs: duration("list-lag", RCLONE_LIST_LAG_MS, LIST_LAG_MAX_MS),
  };
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Durations as restic writes them: `1m30s`. */
function parseDurationMs(
  setting: string,
  text: string | undefined,
  limits: { readonly standardMs: number; readonly maxMs: number },
): number {
  if (text === undefined) return limits.standardMs;
  let sumMs = 0;
  for (const [, count, unit = ""] of text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)/g)) {
    sumMs += Number(count) * (UNITS_MS[unit] ?? 0);
  }
  const isDuration = /^(?:(?:\d{1,9}(?:\.\d{1,9})?)(?:ms|s|m|h))+$/.test(text) || text === "0";
  if (isDuration && sumMs <= limits.maxMs) return sumMs;
  throw new ComebackError("option.invalid", `${setting}=${text} is no duration that fits`, {
    next: `write it as 90s or 2m, up to ${limits.maxMs / 60_000}m`,
  });
}
