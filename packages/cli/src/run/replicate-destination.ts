import { assert, ComebackError } from "@comeback/core";
import type { DestinationSettings } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { findTarget } from "../replicate/find-target.ts";
import { carryOut, prepareReplication } from "../replicate/replicate.ts";
import { formatBytes, formatMany } from "../terminal/format-values.ts";
import { shellLine } from "../configuration/quote-shell-word.ts";

/** Keeps the folder of a repository alike somewhere else; tells in one line what that took. */
export async function replicateDestination(
  from: CommandContext,
  target: DestinationSettings,
): Promise<string> {
  const { env, random } = from;
  // Backups may run meanwhile; whoever removes packs or replaces an index may not.
  const lock = { lock: "shared", activity: "prune", useCache: false } as const;
  await using session = await openSession(from, lock);
  const { repository, signal } = session;
  const folder = repository.backend.location;
  const place = findTarget({
    ...targetOf(target),
    folder,
    repositoryId: repository.config.id,
    env,
  });
  await session.mayWrite;
  // What retention removed here goes there too: it is the same repository.
  const wish = { source: repository.backend, target: place, removes: true, signal };
  const plan = await prepareReplication(wish);
  const { sentFiles, sentBytes, removedFiles, wrong } = await carryOut({
    plan,
    target: place,
    folder,
    verify: "sample",
    random,
    signal,
    onStage: () => {},
    onComparing: () => {},
  });
  if (wrong.length > 0) {
    throw new ComebackError("replicate.incomplete", `the copy at ${place.location} is not alike`, {
      why: `${formatMany(wrong.length, "file")} differ or are missing`,
      next: "run `comeback replicate` by itself: it names them",
    });
  }
  return `${formatMany(sentFiles, "file")} sent, ${formatBytes(sentBytes)}; ${removedFiles} removed`;
}

function targetOf({ replica }: DestinationSettings): {
  readonly to: string;
  readonly rsyncArgs: string | undefined;
} {
  assert(replica !== undefined, "only a replica is replicated to");
  if ("command" in replica) {
    return { to: `command:${shellLine(replica.command)}`, rsyncArgs: undefined };
  }
  const { rsync, ssh } = replica;
  return {
    to: `rsync:${rsync}`,
    rsyncArgs: ssh === undefined ? undefined : shellLine(["-e", ssh]),
  };
}
