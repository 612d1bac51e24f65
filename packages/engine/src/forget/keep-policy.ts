import { hasTags } from "../repository/snapshots.ts";
import { isHeld } from "../snapshot/hold.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import {
  type CalendarDuration,
  calendarDurationText,
  isZeroDuration,
} from "./calendar-duration.ts";
import {
  civilTime,
  type CivilTime,
  compareMoments,
  isoWeek,
  type Moment,
  momentBefore,
  ZERO_MOMENT,
} from "./moment.ts";

/** Periods of which a policy keeps the last snapshot each. */
export const KEEP_PERIODS = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type KeepPeriod = (typeof KEEP_PERIODS)[number];

/**
 * What is to be kept. A snapshot stays where any of the rules says so; the rules and their names are
 * restic's, but for the last two.
 */
export interface KeepPolicy {
  /** The newest so many; `Infinity` for all. */
  readonly last?: number;
  /** The last snapshot of each of the newest so many hours, days …; `Infinity` for all. */
  readonly counts?: Readonly<Partial<Record<KeepPeriod, number>>>;
  /** All that are at most so much older than the latest. */
  readonly within?: CalendarDuration | undefined;
  /** The last of each hour, day … among those. */
  readonly withinPeriods?: Readonly<Partial<Record<KeepPeriod, CalendarDuration | undefined>>>;
  /** All that have every tag of at least one of these lists. */
  readonly tags?: readonly (readonly string[])[];
  /** All that are at most so old, by the clock. */
  readonly minAge?: CalendarDuration | undefined;
  /** The newest so many, whatever their age: with `minAge`, in case the clock is wrong. */
  readonly minCount?: number | undefined;
}

/** A snapshot that stays, with the rules that keep it, in restic's words. */
export interface KeptSnapshot {
  readonly snapshot: Snapshot;
  readonly matches: readonly string[];
}

/** Newest first, as restic has them. */
export interface PolicyOutcome {
  readonly keep: readonly KeptSnapshot[];
  readonly remove: readonly Snapshot[];
}

export interface DatedSnapshot {
  readonly snapshot: Snapshot;
  readonly moment: Moment;
}

/** A policy without any rule that could keep something. */
export function isEmptyPolicy(policy: KeepPolicy): boolean {
  const { last = 0, counts = {}, within, withinPeriods = {}, tags = [], minAge, minCount } = policy;
  const some = (duration: CalendarDuration | undefined): boolean =>
    duration !== undefined && !isZeroDuration(duration);
  return (
    last === 0 &&
    tags.length === 0 &&
    (minCount ?? 0) === 0 &&
    !some(within) &&
    !some(minAge) &&
    !KEEP_PERIODS.some((period) => (counts[period] ?? 0) > 0 || some(withinPeriods[period]))
  );
}

/** A number that is the same for all moments of one period (restic's `ymdh` and the like). */
const PERIOD_NUMBERS: Readonly<Record<KeepPeriod, (time: CivilTime) => number>> = {
  hourly: ({ year, month, day, hour }) => year * 1_000_000 + month * 10_000 + day * 100 + hour,
  daily: ({ year, month, day }) => year * 10_000 + month * 100 + day,
  weekly: ({ dayNumber }) => {
    const { year, week } = isoWeek(dayNumber);
    return year * 100 + week;
  },
  monthly: ({ year, month }) => year * 100 + month,
  yearly: ({ year }) => year,
};

/** One rule that goes through the snapshots, newest first; says why it keeps one, if it does. */
type Rule = (dated: DatedSnapshot, time: CivilTime, isOldest: boolean) => string | undefined;

/**
 * Applies a policy to one group. The decision, its order and its words are those of restic 0.18,
 * where `latest` is the newest snapshot that is not in the future.
 */
export function applyPolicy(
  group: readonly DatedSnapshot[],
  policy: KeepPolicy,
  now: Moment,
): PolicyOutcome {
  const newestFirst = group.toSorted(
    (a, b) => compareMoments(b.moment, a.moment) || (a.snapshot.id < b.snapshot.id ? -1 : 1),
  );
  const rules = [...resticRules(policy, latestOf(newestFirst, now)), ...ownRules(policy, now)];
  const keep: KeptSnapshot[] = [];
  const remove: Snapshot[] = [];
  newestFirst.forEach((dated, place) => {
    const time = civilTime(dated.moment);
    const isOldest = place === newestFirst.length - 1;
    const matches = rules
      .map((rule) => rule(dated, time, isOldest))
      .filter((reason) => reason !== undefined);
    if (matches.length > 0) keep.push({ snapshot: dated.snapshot, matches });
    else remove.push(dated.snapshot);
  });
  return { keep, remove };
}

/** restic: durations count from the latest snapshot, or from the year 1 where all are in the future. */
function latestOf(newestFirst: readonly DatedSnapshot[], now: Moment): Moment {
  const past = newestFirst.find(({ moment }) => compareMoments(moment, now) < 0);
  return past !== undefined && compareMoments(past.moment, ZERO_MOMENT) > 0
    ? past.moment
    : ZERO_MOMENT;
}

function resticRules(policy: KeepPolicy, latest: Moment): Rule[] {
  const { last = 0, counts = {}, within, withinPeriods = {}, tags = [] } = policy;
  const rules: Rule[] = tags.map((list) => tagRule(list));
  if (within !== undefined && !isZeroDuration(within)) {
    rules.push(
      newerThanRule(momentBefore(latest, within), `within ${calendarDurationText(within)}`),
    );
  }
  if (last > 0) rules.push(countRule(last, "last snapshot", undefined));
  for (const period of KEEP_PERIODS) {
    const count = counts[period] ?? 0;
    if (count > 0) rules.push(countRule(count, `${period} snapshot`, PERIOD_NUMBERS[period]));
  }
  for (const period of KEEP_PERIODS) {
    const duration = withinPeriods[period];
    if (duration === undefined || isZeroDuration(duration)) continue;
    const reason = `${period} within ${calendarDurationText(duration)}`;
    rules.push(withinRule(momentBefore(latest, duration), reason, PERIOD_NUMBERS[period]));
  }
  return rules;
}

function ownRules({ minAge, minCount = 0 }: KeepPolicy, now: Moment): Rule[] {
  const rules: Rule[] = [];
  if (minAge !== undefined && !isZeroDuration(minAge)) {
    const reason = `younger than ${calendarDurationText(minAge)}`;
    rules.push(newerThanRule(momentBefore(now, minAge), reason));
  }
  if (minCount > 0) rules.push(countRule(minCount, `one of the newest ${minCount}`, undefined));
  rules.push(({ snapshot }) => (isHeld(snapshot) ? "held" : undefined));
  return rules;
}

function tagRule(list: readonly string[]): Rule {
  const reason = `has tags [${list.join(", ")}]`;
  return ({ snapshot }) => (hasTags(snapshot, list) ? reason : undefined);
}

function newerThanRule(limit: Moment, reason: string): Rule {
  return ({ moment }) => (compareMoments(moment, limit) > 0 ? reason : undefined);
}

/**
 * The newest snapshot of each period, so many of them; without a period, each snapshot. Where some
 * of the count is left, the oldest stays too: history reaches as far back as it may.
 */
function countRule(
  count: number,
  reason: string,
  periodNumber: ((time: CivilTime) => number) | undefined,
): Rule {
  let left = count;
  let lastNumber: number | undefined;
  return (_, time, isOldest) => {
    if (left === 0) return undefined;
    const number = periodNumber?.(time);
    const isNew = number === undefined || number !== lastNumber;
    if (!isNew && !isOldest) return undefined;
    lastNumber = number;
    left--;
    return isNew ? reason : `oldest ${reason}`;
  };
}

function withinRule(
  limit: Moment,
  reason: string,
  periodNumber: (time: CivilTime) => number,
): Rule {
  let lastNumber: number | undefined;
  return ({ moment }, time, isOldest) => {
    if (compareMoments(moment, limit) <= 0) return undefined;
    const number = periodNumber(time);
    const isNew = number !== lastNumber;
    if (!isNew && !isOldest) return undefined;
    lastNumber = number;
    return isNew ? reason : `oldest ${reason}`;
  };
}
