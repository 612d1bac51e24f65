import { BACKUP_TYPES, type BackupType } from "@comeback/core";

/**
 * What a run says of a snapshot in its tags: `plan:shop`, `source:db`, `type:full`,
 * `run:20261128-020000-4f2a9c01d3`. Any program that reads snapshots can tell, and a lost catalog can be
 * made anew. Names hold no comma, at which restic's command line splits tags.
 */
export interface RunTags {
  readonly plan: string;
  readonly source: string;
  readonly backupType: BackupType;
  readonly runId: string;
}

export function snapshotTags({ plan, source, backupType, runId }: RunTags): string[] {
  return [...sourceTags(plan, source), `type:${backupType}`, `run:${runId}`];
}

/** The tags of all snapshots of a plan's source, whichever run made them: for a filter. */
export function sourceTags(plan: string, source: string): string[] {
  return [`plan:${plan}`, `source:${source}`];
}

/** What the tags say; none where they are not those of a run. Others among them are passed over. */
export function readSnapshotTags(tags: readonly string[] = []): RunTags | undefined {
  const [plan, source, type, runId] = ["plan:", "source:", "type:", "run:"].map((start) =>
    tags.find((tag) => tag.startsWith(start))?.slice(start.length),
  );
  const backupType = BACKUP_TYPES.find((known) => known === type);
  if (!plan || !source || !runId || backupType === undefined) return undefined;
  return { plan, source, backupType, runId };
}
