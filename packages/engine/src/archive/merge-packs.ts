import type { BlobType } from "../index/blob-table.ts";
import type { FinishedPack, OpenPack } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";

/**
 * Makes whole packs of what the workers had left over: a small backup becomes one pack, not one
 * for every core.
 */
export function mergeOpenPacks(
  repository: Repository,
  open: readonly (OpenPack | undefined)[],
  type: BlobType = "data",
): FinishedPack[] {
  const packer = repository.newPacker(type);
  const finished: FinishedPack[] = [];
  for (const pack of open) {
    for (const entry of pack?.entries ?? []) {
      packer.absorb(pack as OpenPack, entry);
      if (packer.isFull) finished.push(packer.finish());
    }
  }
  if (!packer.isEmpty) finished.push(packer.finish());
  return finished;
}
