import type { Clock, CommandRunner } from "@comeback/core";

/** A text that is a secret, or may be: had anew for each message, and kept nowhere. */
export type SecretText = (signal: AbortSignal) => Promise<string>;

/** What channels work with. */
export interface NotifierWorld {
  readonly fetch: typeof fetch;
  readonly runner: CommandRunner;
  readonly clock: Clock;
}
