import { badValue } from "./option-error.ts";

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Bytes: a whole number, with restic's suffixes k, M, G and T (powers of 1024). */
export function parseSizeBytes(option: string, text: string): number {
  const match = /^(\d+)([bkmgt]?)$/i.exec(text);
  const bytes = Number(match?.[1]) * (SIZE_FACTORS[match?.[2]?.toLowerCase() || "b"] ?? 1);
  if (match === null || !Number.isSafeInteger(bytes)) {
    throw badValue(option, text, "bytes, with k, M, G or T behind it if you like, such as 500M");
  }
  return bytes;
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of Go's way to write a duration: `90s`, `5m`, `1h30m`, `1.5h`. */
export function parseDurationMs(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const complete = parts.map((part) => part[0]).join("") === text && text !== "";
  if (text === "0") return 0;
  if (!complete) throw badValue(option, text, "a duration such as 30s, 5m or 1h30m");
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * (DURATION_UNITS_MS[unit!] ?? 0), 0);
}

const LONG_UNITS_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  d: 24 * 3_600_000,
  w: 7 * 24 * 3_600_000,
};
const LONG_DURATION_MAX_MS = 3660 * 24 * 3_600_000;

/** Milliseconds of a time in hours, days or weeks: `36h`, `30d`, `4w`. */
export function parseLongDurationMs(option: string, text: string): number {
  const match = /^([1-9]\d{0,5})([hdw])$/.exec(text);
  const durationMs = Number(match?.[1]) * (LONG_UNITS_MS[match?.[2] ?? ""] ?? Number.NaN);
  if (durationMs <= LONG_DURATION_MAX_MS) return durationMs;
  throw badValue(option, text, "hours, days or weeks, such as 36h, 30d or 4w; ten years at most");
}

/** A whole number within bounds. */
export function parseInteger(
  option: string,
  text: string,
  range: { readonly min: number; readonly max?: number },
): number {
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const upTo = range.max === undefined ? "or more" : `to ${max}`;
    throw badValue(option, text, `a whole number, ${min} ${upTo}`);
  }
  return value;
}

/** One of a few words. */
export function parseChoice<T extends string>(
  option: string,
  text: string,
  choices: readonly T[],
): T {
  const choice = choices.find((word) => word === text);
  if (choice === undefined) throw badValue(option, text, choices.join(", "));
  return choice;
}

/** restic's time format, in the local time zone: milliseconds since 1970. */
export function parseTimeMs(option: string, text: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(text);
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] =
    match?.slice(1).map(Number) ?? [];
  const date = new Date(2000, 0, 1);
  date.setFullYear(year, month - 1, day);
  date.setHours(hours, minutes, seconds, 0);
  // A Date moves 31 February to March: what comes out must be what went in.
  const same = date.getMonth() === month - 1 && date.getDate() === day;
  if (match === null || !same || hours > 23 || minutes > 59 || seconds > 59) {
    throw badValue(option, text, "a local time as in '2012-11-01 22:08:41'");
  }
  return date.getTime();
}

/** restic's tag lists: `--tag a,b --tag c` is [[a, b], [c]]. */
export function parseTagLists(values: readonly string[]): string[][] {
  return values.map((value) => value.split(",").map((tag) => tag.trim()));
}

export interface GroupBy {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

/** restic's --group-by: host, paths and tags, separated by commas; "" is no grouping. */
export function parseGroupBy(option: string, text: string): GroupBy {
  const group = { host: false, paths: false, tags: false };
  for (const word of text === "" ? [] : text.split(",")) {
    if (word === "host") group.host = true;
    else if (word === "paths" || word === "path") group.paths = true;
    else if (word === "tags" || word === "tag") group.tags = true;
    else throw badValue(option, text, "host, paths and tags, separated by commas, or ''");
  }
  return group;
}
