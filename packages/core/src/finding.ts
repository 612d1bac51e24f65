/**
 * What a look at the world says of one thing, before anything is done: "passed" only where it was
 * really looked at; what could not be found out is "unknown", and never counts as passed.
 */
export interface Finding {
  readonly state: "passed" | "warning" | "failed" | "unknown";
  /** What was looked at, in a few words: "pg_dump 17.2", "/srv/shop". */
  readonly subject: string;
  /** What was found; where it is not as it should be, why that matters. */
  readonly message: string;
  /** What to do about it. */
  readonly next?: string;
}
