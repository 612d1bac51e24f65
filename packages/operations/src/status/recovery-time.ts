import {
  type CatalogStore,
  formatBytes,
  type PlanState,
  PROOFS_LOOKED_BACK_MAX,
} from "@comeback/core";
import { formatSpan } from "../runs/format-span.ts";

/** How long a recovery of all of a plan's sources takes. */
export type RecoveryTime =
  /** The last restore test took so long. */
  | { readonly kind: "measured"; readonly ms: number; readonly atMs: number }
  /** Nobody has tried: what there is, at the speed at which the plan was backed up. */
  | {
      readonly kind: "estimate";
      readonly ms: number;
      readonly sizeBytes: number;
      readonly bytesPerSecond: number;
    };

/** What a run moved, and how long that took. */
export interface Throughput {
  readonly bytes: number;
  readonly ms: number;
}

function noteOf(plan: string): string {
  return `throughput ${plan}`;
}

/** Keeps how fast a plan was last backed up. */
export async function saveThroughput(
  catalog: Pick<CatalogStore, "saveNote">,
  plan: string,
  { bytes, ms }: Throughput,
): Promise<void> {
  await catalog.saveNote(noteOf(plan), JSON.stringify({ bytes, ms }));
}

/** What is known of it; `undefined` where there is neither a restore test nor a measured backup. */
export async function recoveryTimeOf(
  catalog: Pick<CatalogStore, "listProofs" | "readNote">,
  { plan, newest }: Pick<PlanState, "plan" | "newest">,
): Promise<RecoveryTime | undefined> {
  for (const proof of await catalog.listProofs({ plan, limit: PROOFS_LOOKED_BACK_MAX })) {
    const { kind, outcome, tookMs: ms, atMs } = proof;
    if (kind === "restore-test" && outcome === "ok" && ms !== undefined) {
      return { kind: "measured", ms, atMs };
    }
  }
  const throughput = parseThroughput(await catalog.readNote(noteOf(plan)));
  if (throughput === undefined || newest.length === 0) return undefined;
  const sizes = new Map<string, (typeof newest)[number]>();
  for (const record of newest) {
    const known = sizes.get(record.source);
    if (known === undefined || known.atMs < record.atMs) sizes.set(record.source, record);
  }
  const sizeBytes = [...sizes.values()].reduce((sum, record) => sum + record.sizeBytes, 0);
  const bytesPerSecond = (1000 * throughput.bytes) / throughput.ms;
  return { kind: "estimate", ms: (1000 * sizeBytes) / bytesPerSecond, sizeBytes, bytesPerSecond };
}

function parseThroughput(text: string | undefined): Throughput | undefined {
  try {
    const { bytes, ms } = JSON.parse(text ?? "") as Throughput;
    return bytes > 0 && ms > 0 ? { bytes, ms } : undefined;
  } catch {
    return undefined;
  }
}

/** "3 h, as the last restore test took", or what makes it an estimate. */
export function recoveryTimeText(time: RecoveryTime | undefined): string {
  if (time === undefined) return "a recovery takes nobody knows how long";
  if (time.kind === "measured") return `a recovery takes ${formatSpan(time.ms)}, as last tested`;
  const { sizeBytes, bytesPerSecond, ms } = time;
  const rate = `${formatBytes(sizeBytes)} at ${formatBytes(bytesPerSecond)}/s`;
  return `a recovery takes ${formatSpan(ms)} by an estimate (${rate}, as it was backed up)`;
}
