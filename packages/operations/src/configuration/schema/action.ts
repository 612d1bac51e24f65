import { z } from "zod";
import { oneKind, settings } from "./settings.ts";
import { command, duration, listOf, secret, textOrSecret } from "./values.ts";

const names = listOf(z.string().min(1));

const http = settings({
  url: textOrSecret,
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
  headers: z.record(z.string(), textOrSecret).default({}),
  body: z.string().optional(),
  /** Answers that count as success; 200 to 299 if not given. */
  status: listOf(z.number().int().min(100).max(599)).optional(),
});

/** Containers by name, through podman or docker, whichever there is. */
const container = settings({
  stop: names.optional(),
  pause: names.optional(),
  exec: settings({ container: z.string(), command, user: z.string().optional() }).optional(),
  /** How long a container may take to stop. */
  "stop-timeout": duration.default(120_000),
  engine: z.enum(["podman", "docker"]).optional(),
}).refine(({ stop, pause, exec }) => [stop, pause, exec].filter(Boolean).length === 1, {
  error: "container needs one of stop, pause, exec",
});

/** Units of systemd. What was not running is not started afterwards. */
const systemd = settings({ stop: names });

const kinds = { command, http, container, systemd };

/** What is done to bring a service to rest, and how that is taken back. */
export const action = oneKind("an action", kinds, {
  timeout: duration.default(30_000),
  /** For `command`: secrets and settings that it gets in its environment. */
  environment: z.record(z.string(), textOrSecret).default({}),
  /**
   * What takes it back. Stopped and paused containers and units are started again without it.
   */
  undo: oneKind("an undo", { command, http }, { timeout: duration.default(30_000) }).optional(),
});
export type ActionSettings = z.output<typeof action>;
export type ActionKind = ActionSettings["kind"];

/** Where the hook stands, what it does, and what its failure means. */
export const hook = oneKind("a hook", kinds, {
  on: listOf(z.enum(["start", "success", "warning", "failure", "always"])),
  timeout: duration.default(30_000),
  environment: z.record(z.string(), textOrSecret).default({}),
  /** `skip`: the run ends as skipped. A command's exit code 75 always means that. */
  "on-error": z.enum(["fail", "warn", "skip", "retry"]).default("fail"),
});
export type HookSettings = z.output<typeof hook>;

/** The window in which the service is at rest. */
export const maintenance = settings({
  enter: z.array(action).default([]),
  leave: z.array(action).default([]),
  /** After so long the service is brought back, whatever the run is doing. */
  timeout: duration.default(120_000),
  /** The sources that need the service at rest; all if not given. */
  sources: listOf(z.string()).optional(),
});
export type MaintenanceSettings = z.output<typeof maintenance>;

export const secrets = z.record(z.string(), secret);
