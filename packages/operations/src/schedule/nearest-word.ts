import { editDistance } from "../configuration/edit-distance.ts";

/** The one of `known` that `given` is most likely a misspelling of; `undefined` if none is near. */
export function nearestWord(given: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((word) => ({ word, distance: editDistance(given.toLowerCase(), word) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return undefined;
  // Half of a short word being wrong is no slip of a finger any more.
  return best.distance <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : undefined;
}
