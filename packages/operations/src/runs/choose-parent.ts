import type { BackupType } from "@comeback/core";
import { listSnapshots, type Repository, type Snapshot } from "@comeback/engine";

export interface ParentChoice {
  /** What the snapshot is: `full` where there was nothing to compare with. */
  readonly type: BackupType;
  readonly parent: Snapshot | undefined;
}

/**
 * What a source is compared with: nothing (full), its last full snapshot (differential), or its last
 * one of any type (incremental). Each snapshot is whole by itself; the type says how it was read.
 */
export async function chooseParent(
  repository: Repository,
  wish: {
    readonly type: BackupType;
    readonly plan: string;
    readonly source: string;
    readonly host: string;
    readonly notAfterMs: number;
    /** Snapshots that count for nothing: what is in them may be wrong, and look unchanged. */
    readonly spoilt: ReadonlySet<string>;
  },
  signal: AbortSignal,
): Promise<ParentChoice> {
  const { type, plan, source, host, notAfterMs, spoilt } = wish;
  if (type === "full") return { type, parent: undefined };
  const tags = [`plan:${plan}`, `source:${source}`];
  const wanted = type === "differential" ? [...tags, "type:full"] : tags;
  const known = await listSnapshots(repository, { hosts: [host], tags: [wanted] }, { signal });
  const parent = known.findLast(
    ({ id, time }) => !spoilt.has(id) && Date.parse(time) <= notAfterMs,
  );
  return parent === undefined ? { type: "full", parent } : { type, parent };
}
