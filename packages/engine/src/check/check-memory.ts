import { isId } from "../index/blob-table.ts";

export const DAY_MS: number = 24 * 3_600_000;

/** What is remembered of one pack. */
interface RememberedPack {
  /** When it was read and found whole, or else when it was first seen; 0 where it was damaged. */
  readonly sinceMs: number;
  readonly isVerified: boolean;
}

/** A pack that a check knows. */
export interface CoveredPack {
  readonly id: string;
  readonly sizeBytes: number;
}

/** How much of a repository has been read, and when. */
export interface CheckCoverage {
  readonly packs: number;
  readonly bytes: number;
  /** Read and found whole at some time. */
  readonly verifiedPacks: number;
  readonly verifiedBytes: number;
  /** Within the time that was asked for, where one was. */
  readonly recentPacks?: number;
  readonly recentBytes?: number;
  /** When the pack was read that was not read for longest; only where all have been. */
  readonly oldestMs?: number;
}

const FORMAT = 1;

/**
 * Remembers when each pack was read as a whole and found as it was written. What it says is never
 * needed: without it, everything counts as not read yet.
 */
export class CheckMemory {
  readonly #repositoryId: string;
  #packs = new Map<string, RememberedPack>();
  /** When packs were last chosen by it. */
  #chosenMs: number | undefined;

  constructor(repositoryId: string) {
    this.#repositoryId = repositoryId;
  }

  /** Throws where the text is not what `encode` gave for this repository. */
  static decode(text: string, repositoryId: string): CheckMemory {
    const memory = new CheckMemory(repositoryId);
    const raw = JSON.parse(text) as Record<string, unknown> | null;
    if (raw?.["format"] !== FORMAT) throw new Error("it is of another format");
    if (raw["repository"] !== repositoryId) throw new Error("it is about another repository");
    const packs = raw["packs"];
    if (typeof packs !== "object" || packs === null) throw new Error("it has no list of packs");
    for (const [id, value] of Object.entries(packs)) {
      const [sinceMs, verified] = Array.isArray(value) ? (value as unknown[]) : [];
      if (!isId(id) || !isTime(sinceMs)) throw new Error("it says of a pack what cannot be");
      memory.#packs.set(id, { sinceMs, isVerified: verified === 1 });
    }
    const chosen = raw["chosen"];
    if (isTime(chosen)) memory.#chosenMs = chosen;
    return memory;
  }

  encode(): string {
    const packs = Object.fromEntries(
      [...this.#packs].map(([id, { sinceMs, isVerified }]) => [id, [sinceMs, isVerified ? 1 : 0]]),
    );
    const chosen = this.#chosenMs;
    return `${JSON.stringify({ format: FORMAT, repository: this.#repositoryId, chosen, packs })}\n`;
  }

  noteVerified(packId: string, nowMs: number): void {
    this.#packs.set(packId, { sinceMs: nowMs, isVerified: true });
  }

  /** A damaged pack is read again every time. */
  noteDamaged(packId: string): void {
    this.#packs.set(packId, { sinceMs: 0, isVerified: false });
  }

  /** Forgets packs that are gone, and takes in those that are new: who wrote them verified them. */
  notePresent(packs: readonly CoveredPack[], nowMs: number): void {
    this.#packs = new Map(
      packs.map(({ id }) => [id, this.#packs.get(id) ?? { sinceMs: nowMs, isVerified: false }]),
    );
  }

  /** Called once a run has read all that was chosen. */
  noteChosen(nowMs: number): void {
    this.#chosenMs = nowMs;
  }

  /**
   * The packs to read now, so that each is read within `everyMs`: as large a part of them as the
   * time since the last run is of `everyMs` (a day, before the first), longest unread first, and
   * all that would be overdue by the next run. A clock that was set back counts as no time.
   */
  choose<P extends CoveredPack>(packs: readonly P[], everyMs: number, nowMs: number): P[] {
    const lastMs = this.#chosenMs ?? nowMs - DAY_MS;
    const intervalMs = Math.min(everyMs, Math.max(0, nowMs - lastMs));
    const total = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const wantedBytes = (total * intervalMs) / everyMs;
    const sinceOf = ({ id }: P): number => this.#packs.get(id)?.sinceMs ?? nowMs;
    const isVerified = ({ id }: P): number => Number(this.#packs.get(id)?.isVerified ?? false);
    const queue = packs.toSorted(
      (a, b) => sinceOf(a) - sinceOf(b) || isVerified(a) - isVerified(b) || (a.id < b.id ? -1 : 1),
    );
    const chosen: P[] = [];
    let bytes = 0;
    for (const pack of queue) {
      const isDue = sinceOf(pack) + everyMs < nowMs + intervalMs;
      if (!isDue && bytes >= wantedBytes) break;
      chosen.push(pack);
      bytes += pack.sizeBytes;
    }
    return chosen;
  }

  coverage(packs: readonly CoveredPack[], nowMs: number, everyMs?: number): CheckCoverage {
    let bytes = 0;
    const verified = { packs: 0, bytes: 0 };
    const recent = { packs: 0, bytes: 0 };
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { id, sizeBytes } of packs) {
      bytes += sizeBytes;
      const known = this.#packs.get(id);
      if (known?.isVerified !== true) continue;
      verified.packs++;
      verified.bytes += sizeBytes;
      oldestMs = Math.min(oldestMs, known.sinceMs);
      if (everyMs === undefined || nowMs - known.sinceMs > everyMs) continue;
      recent.packs++;
      recent.bytes += sizeBytes;
    }
    const isComplete = packs.length > 0 && verified.packs === packs.length;
    return {
      packs: packs.length,
      bytes,
      verifiedPacks: verified.packs,
      verifiedBytes: verified.bytes,
      ...(everyMs === undefined ? {} : { recentPacks: recent.packs, recentBytes: recent.bytes }),
      ...(isComplete ? { oldestMs } : {}),
    };
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
