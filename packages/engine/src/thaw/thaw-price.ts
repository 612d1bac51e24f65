import type { ThawPlan } from "./thaw-options.ts";

/** What a thaw costs, in US dollars. */
export interface ThawPrice {
  readonly perGigabyte: number;
  readonly perThousandPacks: number;
}

export interface ThawEstimate {
  readonly dollars: number;
  /** The copies that a thaw makes are stored as well, while they last. */
  readonly ofWhichStorage: number;
}

/**
 * What Amazon published for its region us-east-1 early in 2025, for a rough idea before the bill.
 * Prices change, and differ by region and contract.
 */
const PUBLISHED: Readonly<Record<string, ThawPrice>> = {
  "GLACIER Bulk": { perGigabyte: 0, perThousandPacks: 0 },
  "GLACIER Standard": { perGigabyte: 0.01, perThousandPacks: 0.05 },
  "GLACIER Expedited": { perGigabyte: 0.03, perThousandPacks: 10 },
  "DEEP_ARCHIVE Bulk": { perGigabyte: 0.0025, perThousandPacks: 0.025 },
  "DEEP_ARCHIVE Standard": { perGigabyte: 0.02, perThousandPacks: 0.1 },
};
const STORAGE_PER_GIGABYTE_MONTH = 0.023;
const DAYS_PER_MONTH = 30;
const GIGABYTE = 1024 ** 3;

/** An estimate, undefined where no price is known for one of the classes. */
export function estimateThaw(
  plan: ThawPlan,
  options: { readonly tier: string; readonly days: number; readonly price?: ThawPrice | undefined },
): ThawEstimate | undefined {
  let retrieval = 0;
  let storage = 0;
  for (const { storageClass, sizeBytes } of plan.archived) {
    const price = options.price ?? PUBLISHED[`${storageClass} ${options.tier}`];
    if (price === undefined) return undefined;
    const gigabytes = sizeBytes / GIGABYTE;
    retrieval += gigabytes * price.perGigabyte + price.perThousandPacks / 1000;
    storage += gigabytes * STORAGE_PER_GIGABYTE_MONTH * (options.days / DAYS_PER_MONTH);
  }
  return { dollars: retrieval + storage, ofWhichStorage: storage };
}
