import { messageOf, type OperationOptions } from "@comeback/core";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { HOLD_TAG, isHeld } from "./hold.ts";
import { replaceSnapshot } from "./replace-snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

/** `set` takes the place of all tags; `add` and `remove` change some. */
export interface TagChanges {
  readonly set?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export interface ChangeTagsOptions extends OperationOptions {
  /** Told of each snapshot that was replaced by one with other tags. */
  onChanged?(old: Snapshot, changed: Snapshot): void;
}

export interface ChangeTagsResult {
  readonly changed: number;
  /** Snapshots that still have their old tags, and why. */
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

/** A snapshot's tags after a change; `undefined` where they are the same as before. */
export function changedTags(snapshot: Snapshot, changes: TagChanges): string[] | undefined {
  const { set, add = [], remove = [] } = changes;
  const own = snapshot.tags ?? [];
  // Other tags for everything must not release what is held: that takes its own word.
  const base = set === undefined ? own : [...set, ...(isHeld(snapshot) ? [HOLD_TAG] : [])];
  const tags = [...new Set([...base, ...add])].filter((tag) => !remove.includes(tag));
  const isSame = tags.length === own.length && tags.every((tag, place) => tag === own[place]);
  return isSame ? undefined : tags;
}

/** Changes the tags of snapshots. One that cannot be changed does not keep the others. */
export async function changeTags(
  repository: Repository,
  snapshots: readonly Snapshot[],
  changes: TagChanges,
  options: ChangeTagsOptions = {},
): Promise<ChangeTagsResult> {
  const { signal } = options;
  const failed: { id: string; message: string }[] = [];
  let changed = 0;
  await eachConcurrently(snapshots, repository.backend.connections, async (snapshot) => {
    signal?.throwIfAborted();
    const tags = changedTags(snapshot, changes);
    if (tags === undefined) return;
    try {
      const replaced = await replaceSnapshot(repository, snapshot, { tags }, { signal });
      changed++;
      options.onChanged?.(snapshot, replaced);
    } catch (error) {
      signal?.throwIfAborted();
      failed.push({ id: snapshot.id, message: messageOf(error) });
    }
  });
  return { changed, failed };
}
