import { BACKUP_TYPES, type BackupType } from "@comeback/core";

const OUTCOMES = ["ok", "warning"] as const;

/**
 * What a run says of a snapshot in its tags: `plan:shop`, `source:db`, `type:full`,
 * `run:20261128-020000-4f2a9c01d3`, `outcome:ok`. Any program that reads snapshots can tell, and a lost catalog can be
 * made anew. Names hold no comma, at which restic's command line splits tags.
 */
export interface RunTags {
  readonly plan: string;
  readonly source: string;
  readonly backupType: BackupType;
  readonly runId: string;
  /**
   * `ok` where it is complete and as expected, or accepted as it is. Absent where that was not known
   * when it was saved.
   */
  readonly outcome?: (typeof OUTCOMES)[number] | undefined;
}

export function snapshotTags({ plan, source, backupType, runId, outcome }: RunTags): string[] {
  const known = outcome === undefined ? [] : [`outcome:${outcome}`];
  return [...sourceTags(plan, source), `type:${backupType}`, `run:${runId}`, ...known];
}

/** The tags of all snapshots of a plan's source, whichever run made them: for a filter. */
export function sourceTags(plan: string, source: string): string[] {
  return [`plan:${plan}`, `source:${source}`];
}

/** What the tags say; none where they are not those of a run. Others among them are passed over. */
export function readSnapshotTags(tags: readonly string[] = []): RunTags | undefined {
  const [plan, source, type, runId, said] = ["plan:", "source:", "type:", "run:", "outcome:"].map(
    (start) => tags.find((tag) => tag.startsWith(start))?.slice(start.length),
  );
  const backupType = BACKUP_TYPES.find((known) => known === type);
  if (!plan || !source || !runId || backupType === undefined) return undefined;
  const outcome = OUTCOMES.find((known) => known === said);
  return { plan, source, backupType, runId, ...(outcome === undefined ? {} : { outcome }) };
}
