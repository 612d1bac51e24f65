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
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/, "a name is of letters, digits, and . _ - inside");

/** "90s", "1h30m", "7d"; in the code: milliseconds. */
export const duration = z
  .string()
  .regex(/^(?:\d+[smhdw])+$/, 'a duration is written as "30s", "5m", "1h30m" or "7d"')
  .transform((text) =>
    [...text.matchAll(/(\d+)([smhdw])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * UNITS_MS[unit!]!,
      0,
    ),
  );

/** restic's durations, which count in calendar units: "1y5m7d2h". */
export const calendarDuration = z.string().transform((text, context) => {
  const span = parseCalendarDuration(text);
  if (span !== undefined) return span;
  context.addIssue({ code: "custom", message: `a span of time is ${CALENDAR_DURATION_FORMS}` });
  return z.NEVER;
});

/** "500M", "1.5G"; in the code: bytes. */
export const size = z
  .union([z.number().int().nonnegative(), z.string().regex(/^\d+(?:\.\d+)?[kKmMgGtT]?$/)], {
    error: 'a size is a number of bytes, or written as "500M" or "1.5G"',
  })
  .transform((given) => {
    const [, count, unit] = /^([\d.]+)([a-z]?)$/.exec(String(given).toLowerCase())!;
    return Math.round(Number(count) * UNITS_BYTES[unit!]!);
  });

/** "20%"; in the code: 0.2. */
export const percent = z
  .string()
  .regex(/^\d+(?:\.\d+)?%$/, 'a share is written as "20%"')
  .transform((text) => Number(text.slice(0, -1)) / 100);

/** Text goes to `/bin/sh -c`; a list is a program and its arguments. */
export const command = z
  .union([z.string().min(1), z.array(z.string()).min(1)], {
    error: "a command is a line for the shell, or a list: the program and its arguments",
  })
  .transform((given): readonly [string, ...string[]] =>
    typeof given === "string"
      ? ["/bin/sh", "-c", given]
      : (given as unknown as readonly [string, ...string[]]),
  );

/** Where a secret is. The secret itself is never in the file. */
export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly [string, ...string[]] }
  | { readonly credential: string };

export const secret: z.ZodType<SecretReference> = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
    z.strictObject({ file: z.string().startsWith("/") }),
    z.strictObject({ command }),
    z.strictObject({ credential: z.string().min(1) }),
  ],
  {
    error:
      "a secret is never written here: say where it is, as {env: NAME}, {file: /path}, " +
      "{command: …} or {credential: NAME}",
  },
) as unknown as z.ZodType<SecretReference>;

/** Text that may hold a secret as a whole: a reference, or, where it is none, the text. */
export const textOrSecret = z.union([z.string(), secret]);

/** "02:00"; in the code: minutes since midnight. */
export const clockTime = z
  .string()
  .regex(/^(?:[01]?\d|2[0-3]):[0-5]\d$/, 'a time of day is written as "02:30"')
  .transform((text) => {
    const [hours, minutes] = text.split(":");
    return Number(hours) * 60 + Number(minutes);
  });

/** "mon-fri 08:00-18:00" or "22:00-06:00", in the plan's zone; see scheduler's windows. */
export const timeWindow = z
  .string()
  .regex(
    /^(?:(?:mon|tue|wed|thu|fri|sat|sun)(?:[-,](?:mon|tue|wed|thu|fri|sat|sun))*\s+)?(?:[01]?\d|2[0-3]):[0-5]\d-(?:[01]?\d|2[0-4]):[0-5]\d$/,
    'a window is written as "22:00-06:00" or "mon-fri 08:00-18:00"',
  );

export const timezone = z.string().refine(
  (zone) => {
    try {
      new Intl.DateTimeFormat("en", { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  },
  { error: 'no such time zone; zones are named as "Europe/Vienna" or "UTC"' },
);

/** A list, or its only member. */
export function listOf<T extends z.ZodType>(member: T): z.ZodType<readonly z.output<T>[]> {
  return z
    .union([z.array(member), member])
    .transform((given) => (Array.isArray(given) ? given : [given])) as unknown as z.ZodType<
    readonly z.output<T>[]
  >;
}

/** How hard something is tried again. */
export const retries = settings({
  /** Tries beyond the first. */
  count: z.number().int().min(0).max(20).default(0),
  /** Pause before the second try; each following one is twice as long. */
  pause: duration.default(30_000),
});
