import type { Snapshot } from "../snapshot/snapshot.ts";
import { parseTime } from "../tree/time-text.ts";

/** Finds the snapshot of the target that is a copy of one of the source, by restic's rule. */
export class ExistingCopies {
  readonly #byOriginal: ReadonlyMap<string, readonly Snapshot[]>;

  constructor(target: readonly Snapshot[]) {
    const byOriginal = new Map<string, Snapshot[]>();
    for (const snapshot of target) {
      // A copy of a copy names the first of them; and the target may hold the original itself.
      for (const id of new Set([snapshot.original ?? snapshot.id, snapshot.id])) {
        byOriginal.set(id, [...(byOriginal.get(id) ?? []), snapshot]);
      }
    }
    this.#byOriginal = byOriginal;
  }

  find(snapshot: Snapshot): Snapshot | undefined {
    const candidates = this.#byOriginal.get(snapshot.original ?? snapshot.id) ?? [];
    return candidates.find((candidate) => isSimilar(candidate, snapshot));
  }
}

/** restic: everything but `parent` and `original` (and what describes the run) has to be equal. */
function isSimilar(a: Snapshot, b: Snapshot): boolean {
  const exact = ["tree", "hostname", "username", "uid", "gid"] as const;
  return (
    isSameInstant(a.time, b.time) &&
    exact.every((key) => (a[key] || undefined) === (b[key] || undefined)) &&
    hasSame(a.paths, b.paths) &&
    hasSame(a.tags ?? [], b.tags ?? []) &&
    JSON.stringify(a.excludes ?? []) === JSON.stringify(b.excludes ?? [])
  );
}

function isSameInstant(a: string, b: string): boolean {
  if (a === b) return true;
  const [first, second] = [parseTime(a), parseTime(b)];
  return first.seconds === second.seconds && first.nanoseconds === second.nanoseconds;
}

function hasSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && b.every((item) => a.includes(item));
}
