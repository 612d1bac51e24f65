/** Days since the Unix epoch, as a calendar on the wall counts them. */
export type WallDay = number;

/** On which days of the calendar a trigger has its times. */
export interface DayPattern {
  /** The first of its days that is `from` or later; `undefined` where there is none for years. */
  next(from: WallDay): WallDay | undefined;
}

/** When something starts, in terms of a clock on the wall: no time zone is known yet. */
export interface Trigger {
  /** As it stands in the configuration, with single spaces. */
  readonly text: string;
  /** Minutes since midnight, ascending. */
  readonly minutesOfDay: readonly number[];
  /**
   * True where it means "every hour" rather than times of a day: where the clocks change, it then
   * goes on at every hour that really passes.
   */
  readonly isEveryHour: boolean;
  readonly days: DayPattern;
}

export const MINUTES_PER_DAY = 1440;
export const DAY_MS: number = 24 * 3600 * 1000;
