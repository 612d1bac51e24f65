import { createHash } from "node:crypto";
import {
  type AuditEntry,
  type AuditHead,
  type CatalogStore,
  ComebackError,
  type FileChange,
  type FileHistoryHead,
  type FileVersion,
  type LogRecord,
  type NewAuditEntry,
  type PlanState,
  type ProofRecord,
  type RepositoryStatistics,
  type RunFilter,
  type RunRecord,
  type ScheduleMiss,
  type SnapshotRecord,
  type StageRecord,
} from "@comeback/core";

type SnapshotFilter = Parameters<CatalogStore["listSnapshots"]>[0];

/** Records by their key, at hand in the order of their times: tests ask for the newest of many. */
class ByTime<T> {
  readonly #keyOf: (item: T) => string;
  readonly #timeOf: (item: T) => number;
  /** In ascending order of their times. */
  readonly #items: T[] = [];
  readonly #known: Map<string, T> = new Map();

  constructor(keyOf: (item: T) => string, timeOf: (item: T) => number) {
    this.#keyOf = keyOf;
    this.#timeOf = timeOf;
  }

  get(key: string): T | undefined {
    return this.#known.get(key);
  }

  save(item: T): void {
    const key = this.#keyOf(item);
    const before = this.#known.get(key);
    this.#known.set(key, item);
    if (before !== undefined && this.#timeOf(before) === this.#timeOf(item)) {
      this.#items[this.#items.lastIndexOf(before)] = item;
      return;
    }
    if (before !== undefined) this.#items.splice(this.#items.lastIndexOf(before), 1);
    let at = this.#items.length;
    while (at > 0 && this.#timeOf(this.#items[at - 1]!) > this.#timeOf(item)) at--;
    this.#items.splice(at, 0, item);
  }

  delete(item: T): void {
    this.#known.delete(this.#keyOf(item));
    this.#items.splice(this.#items.indexOf(item), 1);
  }

  /** The newest first. */
  list(isWanted: (item: T) => boolean, limit = Infinity): T[] {
    const found: T[] = [];
    for (let i = this.#items.length - 1; i >= 0 && found.length < limit; i--) {
      if (isWanted(this.#items[i]!)) found.push(this.#items[i]!);
    }
    return found;
  }
}

/** What all hosts of a catalog have in common. */
interface Shared {
  readonly hosts: Map<string, MemoryCatalog>;
  readonly stages: Map<string, StageRecord>;
  readonly log: LogRecord[];
  readonly audit: AuditEntry[];
}

/** A catalog in memory. What it holds outlives `asyncDispose`, as a file would. */
export class MemoryCatalog implements CatalogStore {
  readonly host: string;
  readonly #shared: Shared;
  readonly #runs: ByTime<RunRecord> = new ByTime(
    ({ id }) => id,
    ({ startedAtMs }) => startedAtMs,
  );
  readonly #stages: Map<string, StageRecord>;
  readonly #log: LogRecord[];
  readonly #snapshots: ByTime<SnapshotRecord> = new ByTime(
    ({ destination, snapshotId }) => `${destination} ${snapshotId}`,
    ({ atMs }) => atMs,
  );
  readonly #proofs: ProofRecord[] = [];
  readonly #statistics: RepositoryStatistics[] = [];
  readonly #marks: Map<string, number> = new Map();
  readonly #misses: ByTime<ScheduleMiss> = new ByTime(
    ({ plan, trigger, scheduledForMs }) => `${plan}\0${trigger}\0${scheduledForMs}`,
    ({ scheduledForMs }) => scheduledForMs,
  );
  readonly #audit: AuditEntry[];
  readonly #notes: Map<string, string> = new Map();
  readonly #versions: Map<string, FileVersion[]> = new Map();
  readonly #missing: Set<string> = new Set();
  readonly #historyHeads: Map<string, FileHistoryHead> = new Map();
  /** While true, whatever writes is refused, as by a full disk. */
  isFull = false;

  constructor(
    host = "web1",
    shared: Shared = { hosts: new Map(), stages: new Map(), log: [], audit: [] },
  ) {
    this.host = host;
    this.#shared = shared;
    this.#stages = shared.stages;
    this.#log = shared.log;
    this.#audit = shared.audit;
    shared.hosts.set(host, this);
  }

  forHost(host: string): MemoryCatalog {
    return this.#shared.hosts.get(host) ?? new MemoryCatalog(host, this.#shared);
  }

  #all(): MemoryCatalog[] {
    const { hosts } = this.#shared;
    return [...hosts.keys()].toSorted().map((host) => hosts.get(host)!);
  }

  async saveRun(run: RunRecord): Promise<void> {
    this.#refuseWhenFull();
    this.#runs.save(run);
  }

  async saveStage(stage: StageRecord): Promise<void> {
    this.#refuseWhenFull();
    this.#stages.set(`${stage.runId} ${stage.sequence}`, stage);
  }

  async appendLog(lines: readonly LogRecord[]): Promise<void> {
    this.#refuseWhenFull();
    this.#log.push(...lines);
  }

  async saveSnapshot(snapshot: SnapshotRecord): Promise<void> {
    this.#refuseWhenFull();
    this.#snapshots.save(snapshot);
  }

  async markRemoved(
    destination: string,
    snapshotIds: readonly string[],
    atMs: number,
  ): Promise<void> {
    this.#refuseWhenFull();
    for (const id of snapshotIds) {
      const snapshot = this.#snapshots.get(`${destination} ${id}`);
      if (snapshot !== undefined) this.#snapshots.save({ ...snapshot, removedAtMs: atMs });
    }
  }

  async saveProof(proof: ProofRecord): Promise<void> {
    this.#refuseWhenFull();
    this.#proofs.push(proof);
  }

  async saveStatistics(statistics: RepositoryStatistics): Promise<void> {
    this.#refuseWhenFull();
    this.#statistics.push(statistics);
  }

  async findRun(id: string): Promise<RunRecord | undefined> {
    return this.#all().flatMap((one) => one.#runs.get(id) ?? [])[0];
  }

  async listRuns({ hosts, ...filter }: RunFilter): Promise<RunRecord[]> {
    if (hosts !== "all") return this.#ownRuns(filter);
    const found = this.#all().flatMap((one) => one.#ownRuns(filter));
    return newestFirst(found, ({ startedAtMs }) => startedAtMs).slice(0, filter.limit);
  }

  #ownRuns({ plan, outcome, sinceMs, limit }: RunFilter): RunRecord[] {
    return this.#runs.list(
      (run) =>
        (plan === undefined || run.plan === plan) &&
        (outcome === undefined || run.outcome === outcome) &&
        (sinceMs === undefined || run.startedAtMs >= sinceMs),
      limit,
    );
  }

  async listOpenRuns(): Promise<RunRecord[]> {
    return this.#runs.list(({ endedAtMs }) => endedAtMs === undefined);
  }

  async listStages(runId: string): Promise<StageRecord[]> {
    return [...this.#stages.values()]
      .filter((stage) => stage.runId === runId)
      .toSorted((a, b) => a.sequence - b.sequence);
  }

  async listLog(runId: string, afterSequence: number, limit: number): Promise<LogRecord[]> {
    return this.#log
      .filter((line) => line.runId === runId && line.sequence > afterSequence)
      .toSorted((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  async listSnapshots(filter: SnapshotFilter): Promise<SnapshotRecord[]> {
    const { plan, source, destination, runId, snapshotId, limit } = filter;
    return this.#snapshots.list(
      (snapshot) =>
        (plan === undefined || snapshot.plan === plan) &&
        (source === undefined || snapshot.source === source) &&
        (destination === undefined || snapshot.destination === destination) &&
        (runId === undefined || snapshot.runId === runId) &&
        (snapshotId === undefined || snapshot.snapshotId === snapshotId),
      limit,
    );
  }

  async listStatistics({
    destination,
    limit,
  }: Parameters<CatalogStore["listStatistics"]>[0]): Promise<RepositoryStatistics[]> {
    const those = this.#statistics.filter(
      (entry) => destination === undefined || entry.destination === destination,
    );
    return newestFirst(those, ({ atMs }) => atMs).slice(0, limit);
  }

  async listProofs({
    plan,
    limit,
  }: Parameters<CatalogStore["listProofs"]>[0]): Promise<ProofRecord[]> {
    const those = this.#proofs.filter((proof) => plan === undefined || proof.plan === plan);
    return newestFirst(those, ({ atMs }) => atMs).slice(0, limit);
  }

  async planStates(plans?: readonly string[]): Promise<PlanState[]> {
    const names = plans ?? [...new Set(this.#runs.list(() => true).map(({ plan }) => plan))];
    return Promise.all(names.map((plan) => this.#planState(plan)));
  }

  async planStatesOfAllHosts(): Promise<PlanState[]> {
    return (await Promise.all(this.#all().map((one) => one.planStates()))).flat();
  }

  async #planState(plan: string): Promise<PlanState> {
    const runs = await this.listRuns({ plan, limit: Infinity });
    const misses = await this.listMisses({ plan, limit: Infinity });
    return {
      host: this.host,
      plan,
      lastRun: runs[0],
      lastGoodRun: runs.find(({ outcome }) => outcome === "ok" || outcome === "warning"),
      isRunning: runs.some(({ endedAtMs }) => endedAtMs === undefined),
      newest: await this.#newestOf(plan),
      lastProof: (await this.listProofs({ plan, limit: 1 }))[0],
      openMisses: misses.filter(({ caughtUpBy }) => caughtUpBy === undefined).length,
    };
  }

  async #newestOf(plan: string): Promise<SnapshotRecord[]> {
    const newest = new Map<string, SnapshotRecord>();
    for (const snapshot of await this.listSnapshots({ plan, limit: Infinity })) {
      const { source, destination, outcome, removedAtMs } = snapshot;
      const isGood = outcome === "ok" || outcome === "warning";
      if (!isGood || removedAtMs !== undefined) continue;
      const key = `${source} ${destination}`;
      if (!newest.has(key)) newest.set(key, snapshot);
    }
    return [...newest.values()];
  }

  async readScheduleMark(plan: string, trigger: string): Promise<number | undefined> {
    return this.#marks.get(`${plan}\0${trigger}`);
  }

  async saveScheduleMark(plan: string, trigger: string, atMs: number): Promise<void> {
    this.#refuseWhenFull();
    this.#marks.set(`${plan}\0${trigger}`, atMs);
  }

  async saveMiss(miss: ScheduleMiss): Promise<void> {
    this.#refuseWhenFull();
    this.#misses.save(miss);
  }

  async listMisses({
    plan,
    limit,
  }: {
    readonly plan?: string;
    readonly limit: number;
  }): Promise<ScheduleMiss[]> {
    return this.#misses.list((miss) => plan === undefined || miss.plan === plan, limit);
  }

  async appendAudit(entry: NewAuditEntry): Promise<AuditEntry> {
    this.#refuseWhenFull();
    const chained = {
      ...entry,
      sequence: this.#audit.length + 1,
      previousHash: this.#audit.at(-1)?.hash ?? "0".repeat(64),
    };
    const hash = createHash("sha256").update(canonicalJson(chained)).digest("hex");
    const complete = { ...chained, hash };
    this.#audit.push(complete);
    return complete;
  }

  async listAudit(afterSequence: number, limit: number): Promise<AuditEntry[]> {
    return this.#audit.slice(afterSequence, afterSequence + limit);
  }

  async recordFileChanges(
    snapshot: Pick<SnapshotRecord, "plan" | "source" | "snapshotId" | "atMs">,
    changes: AsyncIterable<FileChange>,
  ): Promise<void> {
    this.#refuseWhenFull();
    const { plan, source, snapshotId, atMs } = snapshot;
    const place = `${plan}\0${source}\0`;
    for await (const { path, version } of changes) {
      const versions = this.#versions.get(place + path) ?? [];
      this.#versions.set(place + path, versions);
      if (version === undefined) {
        this.#missing.add(place + path);
        continue;
      }
      this.#missing.delete(place + path);
      versions.unshift({
        path,
        ...version,
        firstSnapshotId: snapshotId,
        firstAtMs: atMs,
        lastSnapshotId: snapshotId,
        lastAtMs: atMs,
      });
    }
    this.#historyHeads.set(`${plan}\0${source}`, { snapshotId, atMs });
    // Whatever did not change is held by this snapshot too.
    for (const [key, [newest, ...older]] of this.#versions) {
      if (!key.startsWith(place) || this.#missing.has(key) || newest === undefined) continue;
      const extended = { ...newest, lastSnapshotId: snapshotId, lastAtMs: atMs };
      this.#versions.set(key, [extended, ...older]);
    }
  }

  async readAuditHead(): Promise<AuditHead> {
    const { sequence = 0, hash = "0".repeat(64) } = this.#audit.at(-1) ?? {};
    return { sequence, hash };
  }

  async readFileHistoryHead(plan: string, source: string): Promise<FileHistoryHead | undefined> {
    return this.#historyHeads.get(`${plan}\0${source}`);
  }

  async listFileHistories(): Promise<{ readonly plan: string; readonly source: string }[]> {
    return [...this.#historyHeads.keys()].toSorted().map((key) => {
      const [plan = "", source = ""] = key.split("\0");
      return { plan, source };
    });
  }

  async listFileVersions(plan: string, source: string, path: string): Promise<FileVersion[]> {
    return [...(this.#versions.get(`${plan}\0${source}\0${path}`) ?? [])];
  }

  async readNote(key: string): Promise<string | undefined> {
    return this.#notes.get(key);
  }

  async saveNote(key: string, value: string | undefined): Promise<void> {
    this.#refuseWhenFull();
    if (value === undefined) this.#notes.delete(key);
    else this.#notes.set(key, value);
  }

  async removeRunsBefore(atMs: number): Promise<number> {
    this.#refuseWhenFull();
    const old = this.#runs.list(({ startedAtMs }) => startedAtMs < atMs);
    for (const run of old) {
      const { id } = run;
      this.#runs.delete(run);
      for (const [key, stage] of this.#stages) if (stage.runId === id) this.#stages.delete(key);
      const kept = this.#log.filter(({ runId }) => runId !== id);
      this.#log.splice(0, this.#log.length, ...kept);
    }
    return old.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }

  #refuseWhenFull(): void {
    if (!this.isFull) return;
    throw new ComebackError("catalog.unusable", "the catalog cannot be written", {
      why: "no space is left on its disk",
      next: "free some space",
    });
  }
}

function newestFirst<T>(items: readonly T[], timeOf: (item: T) => number): T[] {
  return items.toReversed().toSorted((a, b) => timeOf(b) - timeOf(a));
}

function canonicalJson(value: object): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
