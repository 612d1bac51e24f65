import type { CatalogStore, RunRecord, SnapshotRecord } from "@comeback/core";

/** An empty catalog, made for one test and disposed after it. */
export interface CatalogFixture extends AsyncDisposable {
  /** Of HOST. */
  readonly store: CatalogStore;
  /** Opens the same catalog once more, as another process would; of HOST if not given. */
  another(host?: string): Promise<CatalogStore>;
}

export type MakeCatalog = () => Promise<CatalogFixture>;

export const HOST = "web1";
export const HOUR_MS: number = 3_600_000;
export const START_MS: number = Date.UTC(2026, 10, 28, 2);

export function makeRun(run: Partial<RunRecord> & Pick<RunRecord, "id">): RunRecord {
  return {
    plan: "shop",
    host: HOST,
    trigger: "schedule",
    startedAtMs: START_MS,
    processId: 4711,
    ...run,
  };
}

export function makeSnapshot(
  snapshot: Partial<SnapshotRecord> & Pick<SnapshotRecord, "snapshotId">,
): SnapshotRecord {
  return {
    runId: "20261128-020000-4f2a",
    plan: "shop",
    source: "content",
    destination: "nas",
    backupType: "incremental",
    atMs: START_MS,
    files: 12,
    sizeBytes: 5_000_000_000_000,
    addedBytes: 4096,
    storedBytes: 2048,
    items: [{ kind: "path", name: "/srv/shop", sizeBytes: 5_000_000_000_000 }],
    outcome: "ok",
    ...snapshot,
  };
}

export async function* each<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  for (const item of items) yield await Promise.resolve(item);
}

/** So many at once that a busy machine still serves each of them in time. */
const AT_ONCE = 50;

/** Does it for all, several at the same time. */
export async function doForAll<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    await Promise.all(items.slice(start, start + AT_ONCE).map((item) => work(item)));
  }
}
