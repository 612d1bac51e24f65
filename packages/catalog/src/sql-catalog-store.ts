import type {
  AuditEntry,
  AuditHead,
  ByteString,
  CatalogStore,
  FileChange,
  FileHistoryHead,
  FileVersion,
  LogRecord,
  NewAuditEntry,
  PlanState,
  ProofRecord,
  RepositoryStatistics,
  RunFilter,
  RunRecord,
  ScheduleMiss,
  SnapshotRecord,
  SnapshotRecordFilter,
  StageRecord,
} from "@comeback/core";
import { appendAudit, listAudit, readAuditHead } from "./audit/audit-log.ts";
import type { CatalogDatabase } from "./catalog-database.ts";
import type { HostScope } from "./host-scope.ts";
import { storableText } from "./rows.ts";
import * as history from "./store/file-history.ts";
import * as other from "./store/other-records.ts";
import { readPlanStates, readPlanStatesOfAllHosts } from "./store/plan-states.ts";
import { removeRunsBefore } from "./store/remove-old.ts";
import * as runs from "./store/run-records.ts";
import * as snapshots from "./store/snapshot-records.ts";

/** The catalog in a database that speaks SQL. */
export class SqlCatalogStore implements CatalogStore {
  readonly #database: CatalogDatabase;
  readonly #scope: HostScope;

  constructor(scope: HostScope) {
    this.#database = scope.database;
    this.#scope = scope;
  }

  get host(): string {
    return this.#scope.host;
  }

  forHost(host: string): SqlCatalogStore {
    return new SqlCatalogStore({ database: this.#database, host: storableText(host) });
  }

  saveRun(run: RunRecord): Promise<void> {
    return runs.saveRun(this.#scope, run);
  }

  saveStage(stage: StageRecord): Promise<void> {
    return runs.saveStage(this.#database, stage);
  }

  appendLog(lines: readonly LogRecord[]): Promise<void> {
    return runs.appendLog(this.#database, lines);
  }

  saveSnapshot(snapshot: SnapshotRecord): Promise<void> {
    return snapshots.saveSnapshot(this.#scope, snapshot);
  }

  markRemoved(destination: string, snapshotIds: readonly string[], atMs: number): Promise<void> {
    return snapshots.markRemoved(this.#scope, { destination, snapshotIds }, atMs);
  }

  saveProof(proof: ProofRecord): Promise<void> {
    return other.saveProof(this.#scope, proof);
  }

  saveStatistics(statistics: RepositoryStatistics): Promise<void> {
    return other.saveStatistics(this.#scope, statistics);
  }

  findRun(id: string): Promise<RunRecord | undefined> {
    return runs.findRun(this.#database, id);
  }

  listRuns(filter: RunFilter): Promise<RunRecord[]> {
    return runs.listRuns(this.#scope, filter);
  }

  listOpenRuns(): Promise<RunRecord[]> {
    return runs.listOpenRuns(this.#scope);
  }

  listStages(runId: string): Promise<StageRecord[]> {
    return runs.listStages(this.#database, runId);
  }

  listLog(runId: string, afterSequence: number, limit: number): Promise<LogRecord[]> {
    return runs.listLog(this.#database, runId, { afterSequence, limit });
  }

  listSnapshots(filter: SnapshotRecordFilter): Promise<SnapshotRecord[]> {
    return snapshots.listSnapshots(this.#scope, filter);
  }

  listStatistics(
    filter: Parameters<CatalogStore["listStatistics"]>[0],
  ): Promise<RepositoryStatistics[]> {
    return other.listStatistics(this.#scope, filter);
  }

  listProofs(filter: Parameters<CatalogStore["listProofs"]>[0]): Promise<ProofRecord[]> {
    return other.listProofs(this.#scope, filter);
  }

  planStates(plans?: readonly string[]): Promise<PlanState[]> {
    return readPlanStates(this.#scope, plans);
  }

  planStatesOfAllHosts(): Promise<PlanState[]> {
    return readPlanStatesOfAllHosts(this.#database);
  }

  readScheduleMark(plan: string, trigger: string): Promise<number | undefined> {
    return other.readScheduleMark(this.#scope, plan, trigger);
  }

  saveScheduleMark(plan: string, trigger: string, atMs: number): Promise<void> {
    return other.saveScheduleMark(this.#scope, { plan, trigger, atMs });
  }

  saveMiss(miss: ScheduleMiss): Promise<void> {
    return other.saveMiss(this.#scope, miss);
  }

  listMisses(filter: {
    readonly plan?: string | undefined;
    readonly limit: number;
  }): Promise<ScheduleMiss[]> {
    return other.listMisses(this.#scope, filter);
  }

  appendAudit(entry: NewAuditEntry): Promise<AuditEntry> {
    return appendAudit(this.#database, entry);
  }

  listAudit(afterSequence: number, limit: number): Promise<AuditEntry[]> {
    return listAudit(this.#database, afterSequence, limit);
  }

  readAuditHead(): Promise<AuditHead> {
    return readAuditHead(this.#database);
  }

  recordFileChanges(
    snapshot: Pick<SnapshotRecord, "plan" | "source" | "snapshotId" | "atMs">,
    changes: AsyncIterable<FileChange>,
    options: { readonly isWholeTree?: boolean } = {},
  ): Promise<void> {
    const isWholeTree = options.isWholeTree === true;
    return history.recordFileChanges(this.#scope, snapshot, changes, isWholeTree);
  }

  readFileHistoryHead(plan: string, source: string): Promise<FileHistoryHead | undefined> {
    return history.readFileHistoryHead(this.#scope, plan, source);
  }

  listFileVersions(plan: string, source: string, path: ByteString): Promise<FileVersion[]> {
    return history.listFileVersions(this.#scope, { plan, source, path });
  }

  listFileHistories(): Promise<{ readonly plan: string; readonly source: string }[]> {
    return history.listFileHistories(this.#scope);
  }

  readNote(key: string): Promise<string | undefined> {
    return other.readNote(this.#scope, key);
  }

  saveNote(key: string, value: string | undefined): Promise<void> {
    return other.saveNote(this.#scope, key, value);
  }

  removeRunsBefore(atMs: number): Promise<number> {
    return removeRunsBefore(this.#scope, atMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#database[Symbol.asyncDispose]();
  }
}
