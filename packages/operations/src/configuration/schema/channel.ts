import { z } from "zod";
import { NOTIFICATION_EVENTS, SEVERITIES } from "@comeback/core";
import { trigger } from "./schedule.ts";
import { oneKind, settings } from "./settings.ts";
import { command, duration, listOf, secret, textOrSecret } from "./values.ts";

const smtp = settings({
  host: z.string().describe("The mail server."),
  port: z.number().int().min(1).max(65_535).default(587),
  tls: z
    .enum(["implicit", "required", "optional", "off"])
    .default("required")
    .describe("`implicit`: TLS from the first byte; `required`: STARTTLS or nothing."),
  user: z.string().optional().describe("Who logs in there; nobody if not given."),
  password: secret.optional(),
  from: z.string().describe("The sender."),
  to: listOf(z.string()).describe("Who gets it."),
}).meta({ id: "smtp", description: "E-mail." });
const telegram = settings({
  token: secret,
  chat: z
    .union([z.string(), z.number()])
    .transform(String)
    .describe("The chat's number, or a channel's @name."),
  server: z
    .string()
    .default("https://api.telegram.org")
    .describe("Where the Bot API is, for those who run their own."),
}).meta({ id: "telegram", description: "A chat of Telegram, by a bot." });
const hook = settings({
  url: secret.describe("The address that the service gave; who has it can post."),
}).meta({
  id: "incoming-webhook",
  description: "An incoming webhook of Slack, Discord or Teams.",
});
const ntfy = settings({
  server: z.string().default("https://ntfy.sh"),
  topic: textOrSecret,
  token: secret.optional(),
}).meta({ id: "ntfy", description: "A topic of ntfy." });
const gotify = settings({ server: z.string().describe("Its address."), token: secret }).meta({
  id: "gotify",
  description: "An application of a Gotify server.",
});
const webhook = settings({
  url: textOrSecret,
  key: secret
    .optional()
    .describe("Signs it: X-Comeback-Signature has the time, and the HMAC-SHA256 of time and body."),
  headers: z.record(z.string(), textOrSecret).default({}).describe("Sent with it."),
}).meta({ id: "webhook", description: "A POST with a JSON body." });
const ping = settings({ url: textOrSecret.describe("The address of the check.") }).meta({
  id: "ping",
  description: "A ping at start, success and failure, as healthchecks.io and its like take them.",
});
const apprise = settings({
  command: command.prefault(["apprise"]).describe("The program, where it is not in PATH."),
  urls: listOf(secret).describe("Where it goes, as Apprise writes it."),
}).meta({ id: "apprise", description: "Apprise, by its command." });

const kinds = {
  smtp,
  telegram,
  slack: hook,
  discord: hook,
  teams: hook,
  ntfy,
  gotify,
  webhook,
  ping,
  apprise,
};
export const CHANNEL_KINDS: readonly string[] = Object.keys(kinds);

export const channel = oneKind("a channel", kinds, {
  events: listOf(z.enum(NOTIFICATION_EVENTS)).optional().describe("All if not given."),
  severity: z.enum(SEVERITIES).default("info").describe("What is less severe is left out."),
  "repeat-after": duration
    .prefault("4h")
    .describe("The same problem is not told again before; `0s`: always."),
  digest: trigger
    .optional()
    .describe("Instead of single messages, one with all of them at these moments."),
}).meta({ id: "channel", description: "Where notifications go, of one kind." });
export type ChannelSettings = z.output<typeof channel>;
