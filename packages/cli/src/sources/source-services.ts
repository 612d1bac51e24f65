import type { Clock, CommandRunner } from "@comeback/core";
import type { SecretReference } from "@comeback/operations";

/** What sources and snapshotters are made with. */
export interface SourceServices {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** Gives text as it is, and of a reference the secret; asked again for each run. */
  readonly resolveSecret: (value: string | SecretReference, signal: AbortSignal) => Promise<string>;
}
