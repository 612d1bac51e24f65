import type { BackupType } from "@comeback/core";
import { jitterOf } from "./jitter.ts";
import type { QuietWindows } from "./quiet-windows.ts";
import type { Timetable } from "./timetable.ts";

/** What is done at the moments of a lane. */
export type LaneJob =
  | { readonly kind: "backup" }
  | { readonly kind: "copy"; readonly from: string; readonly to: string }
  | { readonly kind: "digest"; readonly channel: string };

export interface LaneTrigger {
  /**
   * Under which the catalog keeps its mark and its misses: "full weekly sun 03:00 Europe/Vienna". A
   * trigger that is written anew is another one, and owes nothing for the time before.
   */
  readonly key: string;
  /** What a run at its moments makes; only of backups. */
  readonly type?: BackupType | undefined;
  readonly timetable: Timetable;
}

/** Triggers that stand in for each other: one run answers all of them that are due together. */
export interface Lane {
  /** Unique: "shop", "shop copy nas>cloud", "digest ops". */
  readonly id: string;
  /** Under which marks and misses are kept: the plan's name; of a digest, "digest ops". */
  readonly plan: string;
  readonly job: LaneJob;
  readonly triggers: readonly LaneTrigger[];
  readonly quiet: QuietWindows;
  readonly jitterMs: number;
  readonly catchUp: boolean;
  /** What it reads or writes; two lanes with one in common never run at once. */
  readonly repositories: readonly string[];
  /** One that is not lets its moments pass, and they are not missed. */
  readonly isEnabled: boolean;
}

/**
 * When what belongs to a moment starts: put off by the lane's jitter, and then to the end of a quiet
 * window. The same for all triggers of a lane, so that what falls on one moment stays together.
 */
export function startOf(
  { id, jitterMs, triggers, quiet }: Pick<Lane, "id" | "jitterMs" | "triggers" | "quiet">,
  momentMs: number,
): number {
  if (jitterMs === 0) return quiet.firstOpen(momentMs);
  const following = triggers.map(({ timetable }) => timetable.nextAfter(momentMs) ?? Infinity);
  const nextMs = Math.min(...following);
  return quiet.firstOpen(momentMs + jitterOf({ key: id, momentMs, jitterMs, nextMs }));
}

const STRENGTH: Readonly<Record<BackupType, number>> = { incremental: 0, differential: 1, full: 2 };

/** Above 0 where `a` does all that `b` does, and more. */
export function compareStrength(a: BackupType | undefined, b: BackupType | undefined): number {
  return (a === undefined ? 0 : STRENGTH[a]) - (b === undefined ? 0 : STRENGTH[b]);
}

export function strongestOf(types: readonly (BackupType | undefined)[]): BackupType | undefined {
  return types.toSorted(compareStrength).at(-1);
}
