import { type Notification, SEVERITIES } from "@comeback/core";
import type { Waiting } from "./channel-state.ts";

interface Summary {
  /** "digest": at its moment; "late": what could not be delivered before. */
  readonly kind: "digest" | "late";
  readonly host: string;
  readonly timezone: string;
  readonly nowMs: number;
}

/** One message of many: a line for each, and under it what is most important of it. */
export function summaryOf(
  { messages, dropped }: Waiting,
  { kind, host, timezone, nowMs }: Summary,
): Notification {
  const count = messages.length + dropped;
  const what = count === 1 ? "1 message" : `${count} messages`;
  const severity = messages
    .map((message) => message.severity)
    .reduce((a, b) => (SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b), "info");
  const time = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "short",
  });
  // The newest last in time, first to be read.
  const lines = messages.toReversed().flatMap((message) => {
    const [first] = message.lines;
    const head = `${time.format(message.atMs)} ${message.title}`;
    return message.severity === "info" || first === undefined ? [head] : [head, `  ${first}`];
  });
  if (dropped > 0) lines.push(`and ${dropped} older, of which there was no room to keep more`);
  const failed = messages.filter(({ event }) => event === "run.failed").length;
  return {
    event: "digest",
    severity,
    title: kind === "digest" ? `${what} of ${host}` : `${what} of ${host} that came too late`,
    lines: kind === "late" ? ["they could not be delivered when it was time", ...lines] : lines,
    facts: { host, messages: count, failed },
    host,
    atMs: nowMs,
  };
}
