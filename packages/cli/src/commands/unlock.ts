import { type FoundLock, unlock, type UnlockResult } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import type { CommandModule } from "../program.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatLocalTime, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";

interface UnlockFlags {
  readonly removeAll?: true;
}

const DESCRIPTION = `Remove the locks that ended or crashed processes have left behind.

Commands clear locks that are certainly stale by themselves. This also clears
those of this host's name whose process is not here and that nobody has
refreshed for ten minutes. Everything else goes with --remove-all only: make
sure first that nobody is at work, for a command without its lock may lose data.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .option("--remove-all", "remove all locks, also those in use")
    .action(
      run<UnlockFlags>(async (context, flags) => {
        const { clock } = context;
        // A lock would only be one more; and a store that lets nobody lock must still be unlocked.
        await using session = await openSession(context, { lock: "none" });
        const { repository, signal } = session;
        const removeAll = flags.removeAll === true;
        report(context, await unlock(repository, { clock, removeAll, signal }));
        return 0;
      }),
    );
};

function report({ terminal, globals }: CommandContext, { removed, kept }: UnlockResult): void {
  if (globals.json) {
    const message = {
      message_type: "summary",
      removed: removed.map(lockMessage),
      kept: kept.map(lockMessage),
    };
    terminal.print(JSON.stringify(message));
    return;
  }
  if (globals.quiet) return;
  for (const found of removed) terminal.print(`removed ${describeLock(found)}`);
  for (const found of kept) terminal.print(`kept ${describeLock(found)}`);
  const left = kept.length === 0 ? "" : `, ${kept.length} kept (--remove-all removes all)`;
  terminal.print(`${formatMany(removed.length, "lock")} removed${left}`);
}

function lockMessage({ id, lock }: FoundLock): Record<string, unknown> {
  if (lock === undefined) return { id };
  const { time, exclusive, hostname, username, pid } = lock;
  return { id, time, exclusive, hostname, username, pid };
}

function describeLock({ id, lock }: FoundLock): string {
  if (lock === undefined) return `lock ${shortId(id)}, which cannot be read`;
  const kind = lock.exclusive ? "exclusive lock" : "lock";
  const who = `process ${lock.pid} on ${lock.hostname} (${lock.username})`;
  return printableText(
    `${kind} ${shortId(id)} of ${who}, last refreshed ${formatLocalTime(lock.time)}`,
  );
}
