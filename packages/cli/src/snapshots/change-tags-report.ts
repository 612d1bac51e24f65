import { ComebackError } from "@comeback/core";
import { changeTags, type Snapshot, type TagChanges } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import type { Session } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { formatCount, formatMany } from "../terminal/format-values.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { shortId } from "./render-snapshots.ts";
import { reportFailures } from "./report-failures.ts";

/** Snapshots are only replaced or removed under a lock. */
export function requireLock({ globals }: CommandContext, what: string): void {
  if (globals.useLock) return;
  if (globals.storage.isReadOnly) {
    throw new ComebackError("backend.read-only", `${what} would change the repository`, {
      next: "leave --read-only out",
    });
  }
  throw badUsage(`${what} needs a lock`, "leave --no-lock out");
}

/**
 * Changes tags and tells of each snapshot that has a new id, in restic's messages or by `line`;
 * resolves to their number.
 */
export async function changeAndReport(
  context: CommandContext,
  session: Session,
  change: {
    readonly snapshots: readonly Snapshot[];
    readonly changes: TagChanges;
    line(old: string, changed: string): string | undefined;
  },
): Promise<number> {
  const { terminal, globals, env } = context;
  const { snapshots, changes } = change;
  let done = 0;
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const text = (): string =>
    `changed ${formatCount(done)} of ${formatMany(snapshots.length, "snapshot")}`;
  ticker.start({ lines: () => [text()], logLine: text });
  await session.mayWrite;
  const { changed, failed } = await changeTags(session.repository, snapshots, changes, {
    signal: session.signal,
    onChanged: (old, { id }) => {
      done++;
      if (globals.json) terminal.print(changedMessage(old.id, id));
      const line = change.line(shortId(old.id), shortId(id));
      if (!globals.json && !globals.quiet && line !== undefined) terminal.print(line);
    },
  });
  ticker.stop();
  if (globals.json) {
    terminal.print(JSON.stringify({ message_type: "summary", changed_snapshots: changed }));
  }
  if (failed.length === 0) return changed;
  reportFailures(context, failed);
  throw new ComebackError(
    "tag.incomplete",
    `${formatMany(failed.length, "snapshot")} not changed`,
    {
      why: failed[0]?.message ?? "",
      next: "the others are changed; run the same command again once the cause is gone",
    },
  );
}

function changedMessage(oldId: string, newId: string): string {
  return JSON.stringify({
    message_type: "changed",
    old_snapshot_id: oldId,
    new_snapshot_id: newId,
  });
}
