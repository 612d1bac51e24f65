import { z } from "zod";
import { CALENDAR_DURATION_FORMS, parseCalendarDuration } from "@comeback/engine";
import { settings } from "./settings.ts";

const SECOND_MS = 1000;
const UNITS_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: 60 * SECOND_MS,
  h: 3600 * SECOND_MS,
  d: 24 * 3600 * SECOND_MS,
  w: 7 * 24 * 3600 * SECOND_MS,
};
const DURATION_MAX_MS = 36_525 * 24 * 3600 * SECOND_MS;
const UNITS_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Names of plans, sources, destinations, channels: they become parts of tags and file names. */
export const name = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, "a name is of letters, digits, and . _ - inside")
  .meta({ id: "name", description: "Letters, digits, and . _ - inside; up to 63 characters." });

/** "90s", "1h30m", "7d"; in the code: milliseconds. */
export const duration = z
  .string()
  .max(32, "a duration is shorter")
  .regex(/^(?:\d+[smhdw])+$/, 'a duration is written as "30s", "5m", "1h30m" or "7d"')
  .transform((text) =>
    [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * UNITS_MS[unit!]!,
      0,
    ),
  )
  .refine((milliseconds) => milliseconds <= DURATION_MAX_MS, "a duration is of 100 years at most")
  .meta({ id: "duration", description: 'A span of time: "30s", "5m", "1h30m", "7d", "2w".' });

/** restic's durations, which count in calendar units: "1y5m7d2h". */
export const calendarDuration = z
  .string()
  .transform((text, context) => {
    const duration = parseCalendarDuration(text);
    if (duration !== undefined) return duration;
    context.addIssue({ code: "custom", message: `a span of time is ${CALENDAR_DURATION_FORMS}` });
    return z.NEVER;
  })
  .meta({
    id: "calendar-duration",
    description: 'A span of time in calendar units, as restic writes it: "1y5m7d2h".',
  });

/** "500M", "1.5G"; in the code: bytes. */
export const size = z
  .union([z.number().int().nonnegative(), z.string().regex(/^\d+(?:\.\d+)?[kKmMgGtT]?$/)], {
    error: 'a size is a number of bytes, or written as "500M" or "1.5G"',
  })
  .transform((given) => {
    const [, count, unit] = /^([\d.]+)([a-z]?)$/.exec(String(given).toLowerCase())!;
    return Math.round(Number(count) * UNITS_BYTES[unit!]!);
  })
  .refine((bytes) => Number.isSafeInteger(bytes), "a size is of 8 PiB at most")
  .meta({ id: "size", description: 'Bytes: a number, or "500M", "1.5G" (powers of 1024).' });

/** "20%"; in the code: 0.2. */
export const percent = z
  .string()
  .regex(/^\d+(?:\.\d+)?%$/, 'a share is written as "20%"')
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .meta({ id: "percent", description: 'A share, written as "20%".' });

/** Text goes to `/bin/sh -c`; a list is a program and its arguments. */
export const command = z
  .union([z.string().min(1), z.array(z.string()).min(1)], {
    error: "a command is a line for the shell, or a list: the program and its arguments",
  })
  .transform((given): readonly [string, ...string[]] =>
    typeof given === "string"
      ? ["/bin/sh", "-c", given]
      : (given as unknown as readonly [string, ...string[]]),
  )
  .meta({
    id: "command",
    description:
      "A line for the shell (`/bin/sh -c`), or a list: the program and its arguments, without a shell.",
  });

/** Where a secret is. The secret itself is never in the file. */
export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly [string, ...string[]] }
  | { readonly credential: string };

const SECRET_FORMS = "{env: NAME}, {file: /path}, {command: …} or {credential: NAME}";

export const secret: z.ZodType<SecretReference> = z
  .union(
    [
      z.strictObject({
        env: z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
          .describe("A variable of the environment."),
      }),
      z.strictObject({
        file: z
          .string()
          .startsWith("/")
          .describe("A file that only its owner can read; white space around it is left out."),
      }),
      z.strictObject({ command: command.describe("What it prints.") }),
      z.strictObject({
        credential: z
          .string()
          .regex(/^[\w.@-]{1,255}$/)
          .describe(
            "A credential of the systemd unit (`LoadCredential=`, `SetCredentialEncrypted=`).",
          ),
      }),
    ],
    {
      error: `a secret is never written here: say where it is, as ${SECRET_FORMS}`,
    },
  )
  .meta({
    id: "secret",
    description: "Where a secret is; the secret itself is never in the file.",
  });

/** Text that may hold a secret as a whole: a reference, or, where it is none, the text. */
export const textOrSecret = z
  .union([z.string(), secret], { error: `this is text, or ${SECRET_FORMS}` })
  .meta({ id: "text-or-secret", description: "Text, or a reference to a secret that holds it." });

/** "02:00"; in the code: minutes since midnight. */
export const clockTime = z
  .string()
  .regex(/^(?:[01]?\d|2[0-3]):[0-5]\d$/, 'a time of day is written as "02:30"')
  .transform((text) => {
    const [hours, minutes] = text.split(":");
    return Number(hours) * 60 + Number(minutes);
  })
  .meta({ id: "clock-time", description: 'A time of day: "02:30".' });

/** "mon-fri 08:00-18:00" or "22:00-06:00", in the plan's zone; see scheduler's windows. */
export const timeWindow = z
  .string()
  .regex(
    /^(?:(?:mon|tue|wed|thu|fri|sat|sun)(?:[-,](?:mon|tue|wed|thu|fri|sat|sun))*\s+)?(?:[01]?\d|2[0-3]):[0-5]\d-(?:[01]?\d|2[0-4]):[0-5]\d$/,
    'a window is written as "22:00-06:00" or "mon-fri 08:00-18:00"',
  )
  .meta({
    id: "time-window",
    description:
      'A window of the week: "22:00-06:00", "mon-fri 08:00-18:00", "sat,sun 00:00-24:00".',
  });

export const timezone = z
  .string()
  .refine(
    (zone) => {
      try {
        return new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
      } catch {
        return false;
      }
    },
    { error: 'no such time zone; zones are named as "Europe/Vienna" or "UTC"' },
  )
  .meta({ id: "timezone", description: 'A time zone by its name: "Europe/Vienna", "UTC".' });

/** A list, or its only member. */
export function listOf<T extends z.ZodType>(member: T): z.ZodType<readonly z.output<T>[]> {
  return z
    .union([z.array(member), member])
    .transform((given) => (Array.isArray(given) ? given : [given]));
}

/** How hard something is tried again. */
export const retries = settings({
  count: z.number().int().min(0).max(20).default(0).describe("Tries beyond the first."),
  pause: duration
    .prefault("30s")
    .describe("Pause before the second try; each following one is twice as long."),
}).meta({ id: "retries", description: "How hard something is tried again." });
