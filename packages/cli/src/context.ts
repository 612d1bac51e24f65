import type { Clock, Random } from "@comeback/core";
import type { GlobalOptions } from "./options/global-options.ts";
import type { StorageStatistics } from "./opening/storage-statistics.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The outside world of a command. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: Terminal;
  /** Aborts at Ctrl-C, with the error to end with as its reason. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a command works with once its command line is understood. */
export interface CommandContext extends Context {
  readonly globals: GlobalOptions;
  /**
   * Where the repository is a destination of the configuration: the context of all others that the
   * command names, which know nothing of its environment and settings.
   */
  readonly outer?: CommandContext | undefined;
  /** The name of that destination. */
  readonly destination?: string | undefined;
  /**
   * The context of another repository of the command than that of `--repo`, where a word is the
   * name of a destination of the configuration. There where the command line may name some.
   */
  readonly destinationNamed?: ((word: string) => Promise<CommandContext | undefined>) | undefined;
  /** Counts the calls of every storage that is opened; there with `-vv`. */
  readonly statistics?: StorageStatistics | undefined;
}
