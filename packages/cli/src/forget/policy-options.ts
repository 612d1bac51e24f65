import {
  CALENDAR_DURATION_FORMS,
  type CalendarDuration,
  type KeepPolicy,
  parseCalendarDuration,
} from "@comeback/engine";
import type { Command } from "commander";
import { badValue } from "../options/option-error.ts";
import { parseInteger, parseTagLists } from "../options/parse-values.ts";
import { gather } from "../options/repeatable.ts";

/** The rules of `forget`, as they were given. */
export interface PolicyFlags {
  readonly keepLast?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
  readonly keepWithin?: string;
  readonly keepWithinHourly?: string;
  readonly keepWithinDaily?: string;
  readonly keepWithinWeekly?: string;
  readonly keepWithinMonthly?: string;
  readonly keepWithinYearly?: string;
  readonly keepTag: readonly string[];
  readonly keepMinAge?: string;
  readonly keepMinCount?: string;
}

const PERIODS = [
  ["H", "hourly", "hour"],
  ["d", "daily", "day"],
  ["w", "weekly", "week"],
  ["m", "monthly", "month"],
  ["y", "yearly", "year"],
] as const;

export function addPolicyOptions(command: Command): Command {
  command.option("-l, --keep-last <n>", "keep the newest n; `unlimited` keeps all");
  for (const [short, name, unit] of PERIODS) {
    const flags = `-${short}, --keep-${name} <n>`;
    command.option(flags, `keep the last of each of the newest n ${unit}s`);
  }
  command.option("--keep-within <duration>", "keep all within that time before the latest");
  for (const [, name, unit] of PERIODS) {
    const flags = `--keep-within-${name} <duration>`;
    command.option(flags, `the same, but the last of each ${unit}`);
  }
  return command
    .option("--keep-tag <tag[,tag...]>", "keep all that have these tags; repeatable", gather, [])
    .option("--keep-min-age <duration>", "keep all that are younger today, such as 14d")
    .option("--keep-min-count <n>", "keep the newest n, however old they are");
}

/** Whether any rule was given, if only one that keeps nothing. */
export function isPolicyGiven(flags: PolicyFlags): boolean {
  const values = [
    [flags.keepLast, flags.keepHourly, flags.keepDaily, flags.keepWeekly],
    [flags.keepMonthly, flags.keepYearly, flags.keepWithin, flags.keepWithinHourly],
    [flags.keepWithinDaily, flags.keepWithinWeekly, flags.keepWithinMonthly],
    [flags.keepWithinYearly, flags.keepMinAge, flags.keepMinCount, ...flags.keepTag],
  ];
  return values.flat().some((value) => value !== undefined);
}

export function policyOf(flags: PolicyFlags): KeepPolicy {
  const { keepMinCount: minCount } = flags;
  return {
    last: count("--keep-last", flags.keepLast),
    counts: {
      hourly: count("--keep-hourly", flags.keepHourly),
      daily: count("--keep-daily", flags.keepDaily),
      weekly: count("--keep-weekly", flags.keepWeekly),
      monthly: count("--keep-monthly", flags.keepMonthly),
      yearly: count("--keep-yearly", flags.keepYearly),
    },
    within: duration("--keep-within", flags.keepWithin),
    withinPeriods: {
      hourly: duration("--keep-within-hourly", flags.keepWithinHourly),
      daily: duration("--keep-within-daily", flags.keepWithinDaily),
      weekly: duration("--keep-within-weekly", flags.keepWithinWeekly),
      monthly: duration("--keep-within-monthly", flags.keepWithinMonthly),
      yearly: duration("--keep-within-yearly", flags.keepWithinYearly),
    },
    tags: parseTagLists(flags.keepTag),
    minAge: duration("--keep-min-age", flags.keepMinAge),
    minCount: minCount === undefined ? 0 : parseInteger("--keep-min-count", minCount, { min: 0 }),
  };
}

function count(option: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (text === "unlimited") return Number.POSITIVE_INFINITY;
  if (!/^\d{1,15}$/.test(text)) throw badValue(option, text, "a whole number, or `unlimited`");
  return Number(text);
}

function duration(option: string, text: string | undefined): CalendarDuration | undefined {
  if (text === undefined) return undefined;
  const parsed = parseCalendarDuration(text);
  if (parsed === undefined) throw badValue(option, text, CALENDAR_DURATION_FORMS);
  return parsed;
}
