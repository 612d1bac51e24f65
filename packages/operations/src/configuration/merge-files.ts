import type { LocatedEntry, LocatedMapping } from "./located-value.ts";
import { positionIn } from "./located-value.ts";
import type { Problem } from "./problems.ts";

/** Sections whose parts may come from several files, and how deep: `defaults.plan.keep` is two. */
const SHARED_DEPTH: Readonly<Record<string, number>> = {
  destinations: 1,
  plans: 1,
  channels: 1,
  snapshotters: 1,
  daemon: 1,
  defaults: 2,
};

/** All files as one mapping. What is said twice is refused: nobody could tell which one counts. */
export function mergeFiles(
  roots: readonly LocatedMapping[],
  problems: Problem[],
): LocatedMapping | undefined {
  const [first, ...others] = roots;
  if (first === undefined) return undefined;
  let entries = new Map(first.entries);
  for (const { entries: more } of others) {
    // Each file's own: they have been followed.
    const rest = new Map([...more].filter(([key]) => key !== "include"));
    entries = mergeEntries(entries, rest, (key) => SHARED_DEPTH[key] ?? 0, problems);
  }
  return { ...first, entries };
}

function mergeEntries(
  into: ReadonlyMap<string, LocatedEntry>,
  from: ReadonlyMap<string, LocatedEntry>,
  depthOf: (key: string) => number,
  problems: Problem[],
): Map<string, LocatedEntry> {
  const merged = new Map(into);
  for (const [key, entry] of from) {
    const before = merged.get(key);
    const depth = depthOf(key);
    if (before === undefined) {
      merged.set(key, entry);
    } else if (depth > 0 && before.value.kind === "mapping" && entry.value.kind === "mapping") {
      const inner = mergeEntries(
        before.value.entries,
        entry.value.entries,
        () => depth - 1,
        problems,
      );
      merged.set(key, { ...before, value: { ...before.value, entries: inner } });
    } else {
      const [line, column] = positionIn(before.keyPlace.file, before.keyPlace.start);
      const where = `${before.keyPlace.file.path}:${line}:${column}`;
      problems.push({ place: entry.keyPlace, message: `"${key}" is said already at ${where}` });
    }
  }
  return merged;
}
