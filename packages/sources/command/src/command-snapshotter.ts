import { lstatSync } from "node:fs";
import {
  ComebackError,
  type Clock,
  type CommandResult,
  type CommandRunner,
  type JournalValue,
  type PlannedSnapshot,
  SNAPSHOT_BUSY_PAUSE_MS,
  SNAPSHOT_BUSY_TRIES_MAX,
  type Snapshotter,
  type SnapshotView,
} from "@comeback/core";
import { probeCommand } from "@comeback/source-streams";
import { parseFrozenPaths } from "./frozen-paths.ts";

type Command = readonly [string, ...string[]];

export interface CommandSnapshotterOptions {
  readonly create: Command;
  readonly remove: Command;
  readonly verify?: Command | undefined;
  /** Of each of the commands. */
  readonly timeoutMs: number;
  readonly runner: CommandRunner;
  readonly clock: Clock;
}

/** `EX_TEMPFAIL` of sysexits.h: try again. */
const EXIT_BUSY = 75;

interface Token {
  readonly runId: string;
  readonly paths: readonly string[];
}

/**
 * A user's own way to freeze paths: three commands, which docs/reference/snapshotters.md holds to a
 * contract. Fails with `snapshotter.failed`.
 */
export function commandSnapshotter(options: CommandSnapshotterOptions): Snapshotter {
  return new CommandSnapshotter(options);
}

class CommandSnapshotter implements Snapshotter {
  readonly kind = "command";
  readonly #options: CommandSnapshotterOptions;

  constructor(options: CommandSnapshotterOptions) {
    this.#options = options;
  }

  async probe({ signal }: { readonly signal: AbortSignal }) {
    const { create, remove, verify, runner } = this.#options;
    const commands = { create, remove, ...(verify === undefined ? {} : { verify }) };
    const findings = [];
    for (const [name, argv] of Object.entries(commands)) {
      findings.push(await probeCommand({ role: `\`${name}\``, argv }, runner, signal));
    }
    return findings;
  }

  async plan(
    { paths, runId }: { readonly paths: readonly string[]; readonly runId: string },
    signal: AbortSignal,
  ): Promise<PlannedSnapshot> {
    signal.throwIfAborted();
    const description = `snapshot by ${this.#options.create.at(-1)} of ${paths.join(", ")}`;
    return { description, token: { runId, paths } };
  }

  async create(planned: PlannedSnapshot, signal: AbortSignal): Promise<SnapshotView> {
    const token = readToken(planned.token);
    try {
      const result = await this.#run("create", this.#options.create, token, signal);
      if (result.exitCode !== 0) throw failure("create", result);
      const view = parseFrozenPaths(result.stdout, token.paths);
      for (const path of token.paths) assertReadable(path, view.pathOf(path));
      return view;
    } catch (error) {
      if (!signal.aborted) await this.#tidy(token, signal);
      throw error;
    }
  }

  async verify(planned: PlannedSnapshot, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { verify } = this.#options;
    if (verify === undefined) return;
    const result = await this.#run("verify", verify, readToken(planned.token), signal);
    if (result.exitCode !== 0) throw failure("verify", result);
  }

  async remove(token: JournalValue, signal: AbortSignal): Promise<void> {
    const { remove, clock } = this.#options;
    for (let tries = 1; ; tries++) {
      const result = await this.#run("remove", remove, readToken(token), signal);
      if (result.exitCode === 0) return;
      const isBusy = result.exitCode === EXIT_BUSY;
      if (!isBusy || tries === SNAPSHOT_BUSY_TRIES_MAX) throw failure("remove", result);
      await clock.sleep(SNAPSHOT_BUSY_PAUSE_MS, signal);
    }
  }

  /** What a failed `create` left goes at once where it can; the journal sees to the rest. */
  async #tidy(token: Token, signal: AbortSignal): Promise<void> {
    try {
      await this.#run("remove", this.#options.remove, token, signal);
    } catch {
      // The failure of `create` is the one to tell.
    }
  }

  async #run(
    role: string,
    argv: Command,
    { runId, paths }: Token,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    signal.throwIfAborted();
    const { runner, timeoutMs } = this.#options;
    const result = await runner.run({
      argv,
      env: { COMEBACK_RUN_ID: runId },
      input: `${JSON.stringify(paths)}\n`,
      timeoutMs,
      signal,
    });
    if (!result.hasTimedOut) return result;
    throw new ComebackError("snapshotter.failed", `the snapshotter's ${role} took too long`, {
      why: `it had not ended after ${timeoutMs / 1000} s`,
      next: "look at what it waits for, or raise the snapshotter's timeout",
    });
  }
}

function failure(role: string, { exitCode, endedBy, lastWords }: CommandResult): ComebackError {
  const how = endedBy === null ? `exit code ${exitCode}` : `it was ended by ${endedBy}`;
  return new ComebackError("snapshotter.failed", `the snapshotter's ${role} failed`, {
    why: lastWords === "" ? how : `${how}: ${lastWords}`,
    next:
      role === "remove"
        ? "remove what is left by hand, or correct the command: it is run again at the next start"
        : "run the command by hand, with the same input, to see what stands in its way",
  });
}

function readToken(token: JournalValue): Token {
  const { runId, paths } = Object(token) as Partial<Token>;
  const isToken =
    typeof runId === "string" &&
    Array.isArray(paths) &&
    paths.every((path) => typeof path === "string");
  if (isToken) return { runId, paths };
  throw new ComebackError("snapshotter.failed", "the journal's entry is not a snapshot of ours", {
    next: "look for leftovers of the snapshotter by hand",
  });
}

function assertReadable(path: string, frozen: string): void {
  if (lstatSync(frozen, { throwIfNoEntry: false }) !== undefined) return;
  throw new ComebackError("snapshotter.failed", `the snapshotter's create froze nothing`, {
    why: `it says that ${path} is at ${frozen}, and nothing is there`,
    next: "let it end only once the frozen state can be read",
  });
}
