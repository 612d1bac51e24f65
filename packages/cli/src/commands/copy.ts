import { ComebackError } from "@comeback/core";
import { copy, startWorkersEarly } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { CopyReporter } from "../copy/copy-reporter.ts";
import { openBoth } from "../opening/open-both.ts";
import { addFromOptions, fromContext, type FromFlags } from "../options/from-repository.ts";
import { badUsage } from "../options/option-error.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";

interface CopyFlags extends FromFlags, FilterFlags {
  readonly dryRun?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    addFromOptions(
      command
        .description(
          "Copy snapshots from another repository (--from-repo) into this one (--repo).\n\n" +
            "What is there already is not copied again, and what is compressed stays as it\n" +
            "is, unless --compression says otherwise. An interrupted copy goes on.",
        )
        .argument("[snapshot...]", "ids or `latest`; all snapshots if none is given")
        .option("-n, --dry-run", "write nothing, tell what would be copied"),
    ),
  ).action(run<CopyFlags>((context, flags, names) => runCopy(context, flags, names)));
};

async function runCopy(
  context: CommandContext,
  flags: CopyFlags,
  names: readonly string[],
): Promise<number> {
  const startMs = performance.now();
  const source = await fromContext(context, flags);
  if (source === undefined) {
    throw badUsage(
      "no repository to copy from is given",
      "use --from-repo PATH, --from-repository-file FILE, or set COMEBACK_FROM_REPOSITORY",
    );
  }
  const dryRun = flags.dryRun === true;
  // As restic: --no-lock is for a source that cannot be written, never for the target.
  const target = { ...context, globals: { ...context.globals, useLock: true } };
  await using _workers = startWorkersEarly();
  await using pair = await openBoth(
    {
      context: source,
      options: { lock: "shared", prompt: "enter password for the source repository: " },
    },
    { context: target, options: { lock: dryRun ? "none" : "shared" } },
  );
  const [snapshots] = await Promise.all([
    findSnapshots(pair.from, names, filterOf(flags, context.env)),
    pair.from.repository.loadIndex({ includeMarked: true, signal: pair.signal }),
    // Only with the lock confirmed: nothing of what is read then may have gone.
    pair.to.mayWrite.then(() => pair.to.repository.loadIndex({ signal: pair.signal })),
  ]);
  const [from, to] = [pair.from.repository, pair.to.repository];
  const sameChunker = from.config.chunkerPolynomial === to.config.chunkerPolynomial;
  using reporter = new CopyReporter(context, { sameChunker });
  const result = await copy({
    source: from,
    target: to,
    snapshots,
    recompress: context.globals.compression !== "auto",
    dryRun,
    mayWrite: pair.to.mayWrite,
    signal: pair.signal,
    observer: reporter.observer,
  });
  reporter.finish({
    result,
    elapsedMs: performance.now() - startMs,
    dryRun,
    wantedBytes: reporter.wantedBytes,
  });
  if (result.failed === 0) return 0;
  throw new ComebackError("copy.incomplete", "not every snapshot could be copied", {
    why: "what they need is damaged or missing in the source, as named above",
    next: "run `comeback check --read-data` on the source; the other snapshots are copied",
  });
}
