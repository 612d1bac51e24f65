import { ComebackError } from "@comeback/core";

export const TRIGGER_FORMS: string =
  '"hourly", "hourly :15", "daily 02:00", "daily 02:00,14:00", "weekly sun 03:00", ' +
  '"monthly 1 03:00", "monthly last 03:00", "yearly 1-31 03:00", or a cron line of five fields';

export interface ScheduleMistake {
  /** The whole of what was written. */
  readonly text: string;
  /** What is wrong with it. */
  readonly why: string;
  /** What was perhaps meant. */
  readonly meant?: string | undefined;
  readonly forms?: string;
}

/** The error about a schedule or window that cannot be understood. */
export function scheduleInvalid({ text, why, meant, forms }: ScheduleMistake): ComebackError {
  const accepted = `write ${forms ?? TRIGGER_FORMS}`;
  return new ComebackError("schedule.invalid", `"${text}" is no schedule`, {
    why,
    next: meant === undefined ? accepted : `did you mean "${meant}"? Otherwise ${accepted}`,
  });
}
