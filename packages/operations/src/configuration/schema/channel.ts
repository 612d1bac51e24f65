import { z } from "zod";
import { NOTIFICATION_EVENTS, SEVERITIES } from "@comeback/core";
import { trigger } from "./schedule.ts";
import { oneKind, settings } from "./settings.ts";
import { command, duration, listOf, secret, textOrSecret } from "./values.ts";

const smtp = settings({
  host: z.string(),
  port: z.number().int().min(1).max(65_535).default(587),
  /** `implicit`: TLS from the first byte; `required`: STARTTLS or nothing. */
  tls: z.enum(["implicit", "required", "optional", "off"]).default("required"),
  user: z.string().optional(),
  password: secret.optional(),
  from: z.string(),
  to: listOf(z.string()),
});
const telegram = settings({
  token: secret,
  chat: z.union([z.string(), z.number()]).transform(String),
  /** Where the Bot API is, for those who run their own. */
  server: z.string().default("https://api.telegram.org"),
});
const hook = settings({ url: secret });
const ntfy = settings({
  server: z.string().default("https://ntfy.sh"),
  topic: textOrSecret,
  token: secret.optional(),
});
const gotify = settings({ server: z.string(), token: secret });
const webhook = settings({
  url: textOrSecret,
  /** The body's HMAC-SHA256 with this key goes into X-Comeback-Signature. */
  key: secret.optional(),
  headers: z.record(z.string(), textOrSecret).default({}),
});
/** A ping at start, success and failure, as healthchecks.io and its like take them. */
const ping = settings({ url: textOrSecret });
const apprise = settings({ command: command.default(["apprise"]), urls: listOf(secret) });

export const channel = oneKind(
  "a channel",
  {
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
  },
  {
    events: listOf(z.enum(NOTIFICATION_EVENTS)).optional(),
    severity: z.enum(SEVERITIES).default("info"),
    /** The same message about the same thing is not sent again before. */
    "repeat-after": duration.default(4 * 3600 * 1000),
    /** Instead of single messages, one with all of them at these moments. */
    digest: trigger.optional(),
  },
);
export type ChannelSettings = z.output<typeof channel>;
