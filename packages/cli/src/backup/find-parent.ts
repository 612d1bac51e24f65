import { findLatest, findSnapshot, type Snapshot } from "@comeback/engine";
import type { Session } from "../opening/session.ts";
import type { GroupBy } from "../options/parse-values.ts";

export interface ParentWish {
  /** What the user named, if anything. */
  readonly name: string | undefined;
  readonly groupBy: GroupBy;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  /** The time of the new snapshot: a later one is no parent of it. */
  readonly notAfterMs: number;
}

/** The snapshot to compare with: the one named, or the latest of the same group (as restic's). */
export async function findParent(
  { repository, signal }: Session,
  wish: ParentWish,
): Promise<Snapshot | undefined> {
  const { name, groupBy, notAfterMs } = wish;
  if (name !== undefined && name !== "latest") {
    return findSnapshot(repository, name, {}, { signal });
  }
  const filter = {
    hosts: groupBy.host ? [wish.hostname] : [],
    paths: groupBy.paths ? wish.paths : [],
    tags: groupBy.tags ? [wish.tags.length === 0 ? [""] : wish.tags] : [],
  };
  const latest = await findLatest(repository, filter, { signal, notAfterMs });
  // Asked for by name, it has to be there.
  if (latest === undefined && name !== undefined) await findSnapshot(repository, name, filter);
  return latest;
}
