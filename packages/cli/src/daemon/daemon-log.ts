import { type DaemonEvent, planCountText, type StartRequest } from "@comeback/server";
import { reportOf } from "../render-error.ts";
import { formatLocalTime } from "../terminal/format-values.ts";

export interface LogLine {
  readonly level: "info" | "warning" | "error";
  readonly text: string;
  /** What is to be told in full below it. */
  readonly error?: unknown;
}

/** What the daemon's log says of an event. The journal adds the time. */
export function logLineOf(event: DaemonEvent): LogLine {
  const info = (text: string): LogLine => ({ level: "info", text });
  const warning = (text: string): LogLine => ({ level: "warning", text });
  const error = (text: string, error?: unknown): LogLine => ({ level: "error", text, error });
  switch (event.kind) {
    case "ready": {
      const metrics =
        event.metricsUrl === undefined ? "" : `; metrics at ${event.metricsUrl}/metrics`;
      return info(`ready: ${planCountText(event.plans)}${metrics}`);
    }
    case "reloaded":
      return info(`the configuration was read anew: ${planCountText(event.plans)}`);
    case "reload-failed":
      return error("the new configuration has a mistake, the old one goes on", event.error);
    case "started":
      return info(`${nameOf(event.request)} starts${dueText(event.request)}`);
    case "ended": {
      const { request, outcome, message, runId } = event;
      const level = outcome === "failed" ? "error" : outcome === "warning" ? "warning" : "info";
      const run = runId === undefined ? "" : ` (run ${runId})`;
      return { level, text: `${nameOf(request)} ended: ${outcome}${withMessage(message)}${run}` };
    }
    case "missed": {
      const { plan, trigger, momentsMs, omitted, reason } = event;
      const count = momentsMs.length + omitted;
      const last = localTime(momentsMs.at(-1)!);
      return warning(`${plan}: ${trigger}: missed (${reason}): ${count}, the last of ${last}`);
    }
    case "set-back":
      return warning(`${event.plan}: ${event.trigger}: the clock went back far, it begins anew`);
    case "clock-not-set":
      return warning(`the clock shows ${localTime(event.nowMs)}: nothing starts until it is set`);
    case "catalog-failed":
      return error("the catalog cannot be used; the schedule goes on", event.error);
    case "undo-failed":
      return error("something is left over that could not be undone", event.error);
    case "metrics-failed":
      return { level: "warning", text: "metrics cannot be given out", error: event.error };
    case "stopping":
      return info(`stopping; ${event.running} running is waited for`);
    case "runs-asked-to-end":
      return warning(`stopping; ${event.running} running is asked to end`);
    case "runs-ended-by-force":
      return error(`stopping; ${event.running} running did not end, and is ended`);
  }
}

/** The same for machines: one object a line. */
export function daemonMessage(event: DaemonEvent): string {
  const { level, text } = logLineOf(event);
  return JSON.stringify({ message_type: "daemon", level, text, ...event }, (key, value: unknown) =>
    key === "error" ? reportOf(value) : value,
  );
}

function nameOf({ plan, job, type }: StartRequest): string {
  if (job.kind === "digest") return plan;
  return job.kind === "copy" ? `${plan}: copy ${job.from} to ${job.to}` : `${plan}: ${type}`;
}

function dueText({ trigger, scheduledForMs }: StartRequest): string {
  const due = `, due at ${localTime(scheduledForMs)}`;
  return trigger === "catch-up" ? `${due}, which was missed` : due;
}

function withMessage(message: string | undefined): string {
  return message === undefined ? "" : `: ${message}`;
}

function localTime(ms: number): string {
  return formatLocalTime(new Date(ms).toISOString());
}
