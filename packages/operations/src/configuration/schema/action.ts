import { z } from "zod";
import { oneKind, settings } from "./settings.ts";
import { command, duration, listOf, textOrSecret } from "./values.ts";

const names = listOf(z.string().min(1));

const http = settings({
  url: textOrSecret.describe("Where the call goes."),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
  headers: z.record(z.string(), textOrSecret).default({}).describe("Sent with it."),
  body: z.string().optional().describe("What is sent."),
  status: listOf(z.number().int().min(100).max(599))
    .optional()
    .describe("Answers that count as success; 200 to 299 if not given."),
});

const container = settings({
  stop: names.optional().describe("Stopped, and started again afterwards."),
  pause: names.optional().describe("Paused, and let go on afterwards."),
  exec: settings({
    container: z.string().describe("Its name."),
    command,
    user: z.string().optional().describe("Who runs it; as the container says if not given."),
  })
    .optional()
    .describe("A command inside a container."),
  "stop-timeout": duration.prefault("2m").describe("How long a container may take to stop."),
  engine: z.enum(["podman", "docker"]).optional().describe("Whichever there is, if not given."),
})
  .refine(({ stop, pause, exec }) => [stop, pause, exec].filter(Boolean).length === 1, {
    error: "container needs one of stop, pause, exec",
  })
  .meta({
    id: "container",
    description: "Containers by name: one of stop, pause and exec.",
  });

const systemd = settings({ stop: names.describe("Units; stopped, and started afterwards.") }).meta({
  id: "systemd",
  description: "Units of systemd. What was not running is not started afterwards.",
});

const commandAction = command.describe("Run to its end; its exit code says how it went.");
const kinds = {
  command: commandAction,
  http: http.meta({ id: "http", description: "An HTTP call." }),
  container,
  systemd,
};

export const action = oneKind("an action", kinds, {
  timeout: duration.prefault("30s").describe("It is ended after so long."),
  environment: z
    .record(z.string(), textOrSecret)
    .default({})
    .describe("For `command`: secrets and settings that it gets in its environment."),
  undo: oneKind(
    "an undo",
    { command: kinds.command, http: kinds.http },
    { timeout: duration.prefault("30s") },
  )
    .optional()
    .describe("What takes it back. Containers and units are started again without it."),
}).meta({
  id: "action",
  description: "What is done to bring a service to rest, of one kind, and how that is taken back.",
});
export type ActionSettings = z.output<typeof action>;
export type ActionKind = ActionSettings["kind"];

export const hook = oneKind("a hook", kinds, {
  on: listOf(z.enum(["start", "success", "warning", "failure", "always"])).describe(
    "When it runs: before the work, or after it by its outcome.",
  ),
  timeout: duration.prefault("30s").describe("It is ended after so long."),
  environment: z
    .record(z.string(), textOrSecret)
    .default({})
    .describe("For `command`: secrets and settings that it gets in its environment."),
  "on-error": z
    .enum(["fail", "warn", "skip", "retry"])
    .default("fail")
    .describe("`skip`: the run ends as skipped. A command's exit code 75 always means that."),
}).meta({ id: "hook", description: "Where it stands, what it does, and what its failure means." });
export type HookSettings = z.output<typeof hook>;

export const maintenance = settings({
  enter: z.array(action).default([]).describe("Done first, in this order."),
  leave: z.array(action).default([]).describe("Done after what `enter` did was taken back."),
  timeout: duration
    .prefault("2m")
    .describe("After so long the service is brought back, whatever the run is doing."),
  sources: listOf(z.string())
    .optional()
    .describe("The sources that need the service at rest; all if not given."),
}).meta({ id: "maintenance", description: "The window in which the service is at rest." });
export type MaintenanceSettings = z.output<typeof maintenance>;
