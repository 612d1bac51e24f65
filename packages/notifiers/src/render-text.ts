import type { Notification } from "@comeback/core";

const KIBI = 1024;
const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
/** All that moves a cursor, rings a bell or ends a header. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;

/** One line, whatever was in it. */
export function oneLine(text: string): string {
  return text.toWellFormed().replaceAll(CONTROLS, " ").trim();
}

/** Lines of plain text, the most important first. */
export function textLines({ lines }: Pick<Notification, "lines">): string[] {
  return lines.flatMap((line) => line.split("\n")).map((line) => oneLine(line));
}

export function bodyText(notification: Notification): string {
  return textLines(notification).join("\n");
}

/** Facts as people read them: `newBytes` as a size, `seconds` as a duration. */
export function shownFacts({ facts }: Pick<Notification, "facts">): (readonly [string, string])[] {
  return Object.entries(facts).map(([key, value]) => {
    const [, ofBytes] = /^(\w+)Bytes$/.exec(key) ?? [];
    if (ofBytes !== undefined) return [label(ofBytes), showSize(Number(value))];
    if (key === "seconds") return ["duration", showDuration(Number(value))];
    return [label(key), oneLine(String(value))];
  });
}

/** "sourcesFailed": "sources failed". */
function label(key: string): string {
  return oneLine(key.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase());
}

function showSize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= KIBI && unit < SIZE_UNITS.length - 1) {
    value /= KIBI;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${SIZE_UNITS[unit]}`;
}

function showDuration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
