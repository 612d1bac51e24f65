import { ComebackError, type OperationOptions } from "@comeback/core";
import { PackGroups } from "../check/pack-groups.ts";
import type { Repository } from "../repository/repository.ts";

/** What else the packs are, compared with what the index says of them. */
export interface PackPresence {
  /** Packs that no index file lists. */
  readonly notIndexed: number;
}

/**
 * Throws where the index lists packs that are gone or are not as large as it says. What is missing
 * could not be told from what is not, and would be cut out of snapshots for good.
 */
export async function requireSoundIndex(
  { index, backend }: Repository,
  options: OperationOptions,
): Promise<PackPresence> {
  const { sizes } = new PackGroups(index);
  const missing = new Set(index.packIds.keys());
  let odd = 0;
  let notIndexed = 0;
  for await (const { name, sizeBytes } of backend.list("pack", options)) {
    if (!index.hasPack(name)) {
      notIndexed++;
      continue;
    }
    const number = index.packNumber(name);
    missing.delete(number);
    if (sizes[number] !== sizeBytes && !index.marks.has(number)) odd++;
  }
  // A prune that runs beside us may have deleted what waited for it.
  const gone = [...missing].filter((number) => !index.marks.has(number)).length;
  if (gone + odd === 0) return { notIndexed };
  const packs = (count: number): string => `${count} ${count === 1 ? "pack" : "packs"}`;
  const missed = gone === 0 ? [] : [`${packs(gone)} it lists ${gone === 1 ? "is" : "are"} missing`];
  const wrong = odd === 0 ? [] : [`${packs(odd)} ${odd === 1 ? "has" : "have"} another size`];
  throw new ComebackError("repository.damaged", "the index does not fit the packs", {
    why: [...missed, ...wrong].join(", and "),
    next: "run `comeback repair index` first, and `comeback repair packs` where it says so",
  });
}
