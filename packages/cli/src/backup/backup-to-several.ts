import { ComebackError, isComebackError } from "@comeback/core";
import { type BackupResult, copyToSeveral, type Snapshot } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import type { Session } from "../opening/session.ts";
import { mainError, reportOf } from "../render-error.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { copyWarningMessage, OTHER_CHUNKER } from "../copy/copy-report.ts";
import type { Destination } from "./destinations.ts";
import {
  destinationMessage,
  type DestinationOutcome,
  renderDestination,
  SeveralView,
} from "./several-report.ts";

/** What a backup came to, and what it was compared with. */
export interface DoneBackup {
  readonly result: BackupResult;
  readonly parent: Snapshot | undefined;
}

export interface SeveralOptions {
  readonly destinations: readonly Destination[];
  readonly dryRun: boolean;
  /** A stream can be read only once: it cannot go on with another repository. */
  readonly readsOnce: boolean;
  backup(context: CommandContext, session: Session): Promise<DoneBackup>;
}

/**
 * Backs up into the first repository that takes it, and copies the snapshot into all that follow,
 * side by side. Each has its own outcome, and the failure of one is told and does not end the others.
 */
export async function backupToSeveral(
  context: CommandContext,
  options: SeveralOptions,
): Promise<BackupResult> {
  const { destinations } = options;
  const log = new OutcomeLog(context);
  const first = await backupIntoFirst(context, options, log);
  const rest = destinations.slice(first.place + 1);
  const { result, parent } = first.done;
  // Where nothing has changed, the others may still lack what the first one has.
  const snapshot = result.snapshot ?? parent;
  log.add({ ok: true, label: first.label, snapshot: result.snapshot });
  if (!options.dryRun && snapshot !== undefined && rest.length > 0) {
    await copyToRest(context, { source: first.session, snapshot, rest, log });
  }
  if (log.failed === 0) return result;
  throw notEverywhere(log.failed, destinations.length);
}

interface FirstDone {
  readonly place: number;
  readonly label: string;
  readonly session: Session;
  readonly done: DoneBackup;
}

/** The first destination that can be opened and takes the backup; those before it have failed. */
async function backupIntoFirst(
  context: CommandContext,
  options: SeveralOptions,
  log: OutcomeLog,
): Promise<FirstDone> {
  const { destinations, readsOnce } = options;
  for (const [place, destination] of destinations.entries()) {
    const { label } = destination;
    let hasBegun = false;
    try {
      const session = await destination.session;
      hasBegun = true;
      return { place, label, session, done: await options.backup(destination.context, session) };
    } catch (error) {
      context.signal.throwIfAborted();
      // What is wrong with the source would be wrong with it the next time.
      if (hasBegun && (readsOnce || !isAboutRepository(error))) throw error;
      log.addFailure(label, error);
    }
  }
  throw notEverywhere(destinations.length, destinations.length);
}

function isAboutRepository(thrown: unknown): boolean {
  const error = mainError(thrown);
  return isComebackError(error) && /^(?:backend|repository|key)\./.test(error.code);
}

interface RestOptions {
  readonly source: Session;
  readonly snapshot: Snapshot;
  readonly rest: readonly Destination[];
  readonly log: OutcomeLog;
}

async function copyToRest(
  context: CommandContext,
  { source, snapshot, rest, log }: RestOptions,
): Promise<void> {
  const { terminal, globals, env } = context;
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const view = new SeveralView();
  ticker.start(view);
  const { chunkerPolynomial } = source.repository.config;
  await copyToSeveral({
    source: source.repository,
    snapshots: [snapshot],
    signal: AbortSignal.any([context.signal, source.signal]),
    destinations: rest.map(({ label, session }) => ({
      open: async () => {
        const target = await session;
        if (target.repository.config.chunkerPolynomial !== chunkerPolynomial) {
          log.warn(`${label}: ${OTHER_CHUNKER}`);
        }
        return target;
      },
      observer: { onStart: (progress) => view.add(label, progress) },
      onSettled: (outcome) => {
        view.remove(label);
        if (outcome.status === "rejected") {
          log.addFailure(label, outcome.reason);
          return;
        }
        const copied = outcome.value;
        if (copied.failed > 0) {
          log.addFailure(label, cannotBeRead(copied.problems[0]?.message));
        } else {
          log.add({ ok: true, label, snapshot: copied.outcomes[0]?.copy, copied });
        }
      },
    })),
  });
}

/** Tells of each outcome as soon as it is certain. */
class OutcomeLog {
  failed = 0;
  readonly #context: CommandContext;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  add(outcome: DestinationOutcome): void {
    const { terminal, globals } = this.#context;
    if (!outcome.ok) this.failed++;
    if (globals.json) terminal.print(destinationMessage(outcome));
    else if (!outcome.ok) {
      terminal.printError(renderDestination(outcome, terminal.errorPalette, terminal.columns));
    } else if (!globals.quiet) {
      terminal.print(renderDestination(outcome, terminal.palette, terminal.columns));
    }
  }

  addFailure(label: string, error: unknown): void {
    this.add({ ok: false, label, report: reportOf(error) });
  }

  warn(message: string): void {
    const { terminal, globals } = this.#context;
    if (globals.json) terminal.printError(copyWarningMessage(message));
    else if (!globals.quiet) terminal.printError(`warning: ${message}`);
  }
}

function cannotBeRead(why: string | undefined): ComebackError {
  return new ComebackError("copy.incomplete", "the snapshot could not be read back", {
    ...(why === undefined ? {} : { why }),
    next: "run `comeback check --read-data` on the first repository",
  });
}

function notEverywhere(failed: number, all: number): ComebackError {
  const what =
    failed === all
      ? "the backup could be saved to none of the repositories"
      : `${failed} of ${all} repositories ${failed === 1 ? "does" : "do"} not have this backup`;
  return new ComebackError("backup.destination", what, {
    why: "each of them is named above, with its reason",
    next:
      failed === all
        ? "mend what is named there, and run it again"
        : "the next backup goes there again; `comeback copy` brings what it has missed",
  });
}
