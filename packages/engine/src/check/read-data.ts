import type { Random } from "@comeback/core";
import { ComebackError } from "@comeback/core";
import type { ReadShare } from "./check-options.ts";

/** More groups than values of a pack id's first byte make no sense (restic: the same bound). */
const PARTS_MAX = 256;

const BYTES_OF_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** What a person writes for `--read-data-subset`: `n/t`, `x%`, or a size such as `500M`. */
export function parseReadDataSubset(text: string): ReadShare {
  const groups = /^(\d{1,9})\/(\d{1,9})$/.exec(text);
  if (groups !== null) {
    const [part, of] = [Number(groups[1]), Number(groups[2])];
    if (part >= 1 && part <= of && of <= PARTS_MAX) return { kind: "part", part, of };
    throw refused(text, `in n/t, n goes from 1 to t, and t to ${PARTS_MAX} at most`);
  }
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (share !== null) {
    const percentage = Number(share[1]);
    if (percentage > 0 && percentage <= 100) return { kind: "percentage", percentage };
    throw refused(text, "a percentage is above 0 and at most 100");
  }
  const size = /^(\d+)([bkmgt]?)$/i.exec(text);
  if (size !== null) {
    const sizeBytes = Number(size[1]) * (BYTES_OF_UNIT[(size[2] ?? "").toLowerCase()] ?? 1);
    if (sizeBytes > 0 && Number.isSafeInteger(sizeBytes)) return { kind: "size", sizeBytes };
    throw refused(text, "a size is above 0 and within reason");
  }
  throw refused(text, "it is neither n/t, nor x%, nor a size");
}

function refused(text: string, why: string): ComebackError {
  return new ComebackError("option.invalid", `${JSON.stringify(text)} is not a part of the data`, {
    why,
    next: "use for example 1/5, 2.5% or 500M",
  });
}

/** A pack that the index knows. */
export interface KnownPack {
  readonly id: string;
  readonly sizeBytes: number;
}

/** The packs that are to be read without regard to what was read before, of all that there are; random ones where only an amount is given. */
export function selectPacks<P extends KnownPack>(
  packs: readonly P[],
  readData: ReadShare,
  random: Random,
): P[] {
  switch (readData.kind) {
    case "none":
      return [];
    case "all":
      return [...packs];
    case "part":
      return packs.filter(
        ({ id }) => Number.parseInt(id.slice(0, 2), 16) % readData.of === readData.part - 1,
      );
    case "percentage":
      return share(packs, readData.percentage / 100, random);
    case "size": {
      const total = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
      return share(packs, Math.min(1, readData.sizeBytes / Math.max(1, total)), random);
    }
  }
}

/** A share of the packs, at least one where there is any. */
function share<P>(packs: readonly P[], part: number, random: Random): P[] {
  const wanted = Math.min(packs.length, Math.max(1, Math.floor(packs.length * part)));
  const order = new Float64Array(packs.length);
  const draws = random.fill(new Uint8Array(packs.length * 4));
  const view = new DataView(draws.buffer);
  for (let i = 0; i < packs.length; i++) order[i] = view.getUint32(i * 4, true);
  const indexes = Array.from(packs.keys()).sort((a, b) => order[a]! - order[b]! || a - b);
  return indexes.slice(0, wanted).map((i) => packs[i]!);
}
