import { type FinishedPack, type OpenPack, Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";

/**
 * Makes whole packs of what the workers had left over: a small backup becomes one pack, not one
 * for every core.
 */
export function mergeOpenPacks(
  repository: Repository,
  open: readonly (OpenPack | undefined)[],
): FinishedPack[] {
  const packer = new Packer(repository.codec, "data", repository.packSizeBytes);
  const finished: FinishedPack[] = [];
  for (const pack of open) {
    for (let i = 0; i < (pack?.blobs.length ?? 0); i++) {
      packer.absorb(pack as OpenPack, i);
      if (packer.isFull) finished.push(packer.finish());
    }
  }
  if (!packer.isEmpty) finished.push(packer.finish());
  return finished;
}
