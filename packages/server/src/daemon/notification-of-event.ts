import { messageOf, type Notification } from "@comeback/core";
import type { DaemonEvent } from "./daemon.ts";

const MOMENTS_NAMED_MAX = 5;

/**
 * What people are told of by the daemon itself, because no run can: moments that were missed, runs
 * that died, what could not be undone. `undefined` for everything else.
 */
export function notificationOfEvent(
  event: DaemonEvent,
  { host, atMs }: { readonly host: string; readonly atMs: number },
): Notification | undefined {
  switch (event.kind) {
    case "missed": {
      const { plan, trigger, momentsMs, omitted, reason } = event;
      const count = momentsMs.length + omitted;
      const times = momentsMs.slice(-MOMENTS_NAMED_MAX).map((ms) => new Date(ms).toISOString());
      return {
        event: "schedule.missed",
        severity: "warning",
        title: `${plan} on ${host} was not started ${count === 1 ? "when it was due" : `${count} times`}`,
        lines: [`${trigger}: ${REASONS[reason]}`, `due at ${times.join(", ")}`],
        facts: { trigger, reason, count },
        host,
        plan,
        atMs,
      };
    }
    case "ended": {
      const { request, outcome, message, runId, hasReported } = event;
      if (hasReported || outcome !== "failed" || request.job.kind === "digest") return undefined;
      return {
        event: "run.failed",
        severity: "error",
        title: `${request.plan} failed on ${host}`,
        lines: [`The run ended without a report: ${message ?? "nothing is known of it"}`],
        facts: { trigger: request.trigger },
        host,
        plan: request.plan,
        ...(runId === undefined ? {} : { runId }),
        atMs,
      };
    }
    case "undo-failed":
      return {
        event: "undo.left-over",
        severity: "error",
        title: `Something is left over on ${host} that could not be undone`,
        lines: [messageOf(event.error), "See `comeback run --undo --dry-run`."],
        facts: {},
        host,
        atMs,
      };
    default:
      return undefined;
  }
}

const REASONS = {
  down: "nothing ran that could have started it",
  late: "it came up together with a later one",
  overrun: "the run before it was not finished",
  blocked: "it waited for its turn until the next one was due",
  "start-failed": "the run could not be started",
  reconfigured: "it waited for its turn when the configuration took it out",
} as const;
