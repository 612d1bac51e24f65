import { BACKUP_TYPES, type BackupType } from "@comeback/core";

/** What a run's snapshot says of itself, in tags that restic keeps and shows. */
export interface RunTags {
  readonly plan: string;
  readonly source: string;
  readonly type: BackupType;
  readonly runId: string;
}

export function snapshotTags({ plan, source, type, runId }: RunTags): string[] {
  return [`plan:${plan}`, `source:${source}`, `type:${type}`, `run:${runId}`];
}

/** `undefined` where it is no run's. */
export function readSnapshotTags(tags: readonly string[] = []): RunTags | undefined {
  const find = (key: string): string | undefined =>
    tags.find((tag) => tag.startsWith(`${key}:`))?.slice(key.length + 1);
  const [plan, source, type, runId] = [find("plan"), find("source"), find("type"), find("run")];
  if (plan === undefined || source === undefined || runId === undefined) return undefined;
  const known = BACKUP_TYPES.find((one) => one === type);
  return known === undefined ? undefined : { plan, source, type: known, runId };
}
