/**
 * The catalog after a year of daily runs of ten thousand plans: how large it is, how long it takes to
 * ask what `status` and `history` ask, and how long a run's own writes take in it. The records are
 * put in by SQL, with what `planStates` reads made by the store itself; each question is asked in a
 * process of its own, which says what memory it took.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { openCatalog } from "@comeback/catalog";
import type { CatalogStore } from "@comeback/core";
import { systemClock } from "@comeback/platform";

const { values } = parseArgs({
  options: {
    plans: { type: "string", default: "10000" },
    days: { type: "string", default: "365" },
    folder: { type: "string", default: tmpdir() },
    /** Set for the process that measures itself. */
    ask: { type: "string" },
    location: { type: "string", default: "" },
  },
});

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1, 2);
const ROUNDS = 7;
/** As `npm run build` makes it. */
const PROGRAM = join(import.meta.dirname, "../../dist/comeback/bin/comeback");

function open(location: string): Promise<CatalogStore> {
  const { signal } = new AbortController();
  return openCatalog(location, { host: "web1", clock: systemClock, signal });
}

function planName(plan: number): string {
  return `plan-${String(plan).padStart(5, "0")}`;
}

function runId(day: number, plan: number): string {
  const date = new Date(START_MS + day * DAY_MS).toISOString();
  return `${date.slice(0, 10).replaceAll("-", "")}-020000-${plan.toString(16).padStart(4, "0")}`;
}

/** All but the last day, without the store: it would ask the disk to make sure of each of them. */
function loadHistory(location: string, plans: number, days: number): void {
  using database = new DatabaseSync(location);
  database.exec("pragma synchronous = off");
  database.exec("begin");
  const run = database.prepare(
    `insert into runs (id, plan, host, trigger, backup_type, scheduled_for_ms, started_at_ms,
      ended_at_ms, outcome, message, process_id) values (?, ?, ?, 'schedule', 'incremental', ?, ?, ?, ?, ?, ?)`,
  );
  const snapshot = database.prepare(
    `insert into snapshots (host, destination, snapshot_id, run_id, plan, source, backup_type, at_ms, files,
      size_bytes, added_bytes, stored_bytes, items, outcome, removed_at_ms)
      values ('web1', ?, ?, ?, ?, ?, 'incremental', ?, 1000, 5000000000, 1000000, 500000, ?, 'ok', null)`,
  );
  const items = JSON.stringify([{ kind: "path", name: "/srv/data", sizeBytes: 5_000_000_000 }]);
  for (let day = 0; day < days - 1; day++) {
    for (let plan = 0; plan < plans; plan++) {
      const atMs = START_MS + day * DAY_MS + plan;
      const isBad = (day * 31 + plan) % 50 === 0;
      const [outcome, message] = isBad ? ["failed", "the destination was away"] : ["ok", null];
      const id = runId(day, plan);
      run.run(id, planName(plan), "web1", atMs, atMs, atMs + 60_000, outcome, message, 4711);
      // Of a month: retention removed the others, and their records with them.
      if (isBad || day < days - 30) continue;
      for (const destination of ["nas", "cloud"]) {
        const name = `${id}-${destination}`.padEnd(64, "0");
        snapshot.run(destination, name, id, planName(plan), "content", atMs, items);
      }
    }
  }
  database.exec("commit");
  database.exec("analyze");
}

/** The last day by the store: that makes every plan's state. */
async function loadLastDay(location: string, plans: number, days: number): Promise<void> {
  await using store = await open(location);
  for (let plan = 0; plan < plans; plan++) await saveOneRun(store, plan, days - 1);
}

async function saveOneRun(store: CatalogStore, plan: number, day: number): Promise<void> {
  const id = runId(day, plan);
  const atMs = START_MS + day * DAY_MS + plan;
  const name = planName(plan);
  const started = { id, plan: name, host: "web1", trigger: "schedule", processId: 4711 } as const;
  await store.saveRun({ ...started, startedAtMs: atMs });
  for (const destination of ["nas", "cloud"]) {
    await store.saveSnapshot({
      runId: id,
      plan: name,
      source: "content",
      destination,
      snapshotId: `${id}-${destination}`.padEnd(64, "0"),
      backupType: "incremental",
      atMs,
      files: 1_000,
      sizeBytes: 5_000_000_000,
      addedBytes: 1_000_000,
      storedBytes: 500_000,
      items: [{ kind: "path", name: "/srv/data", sizeBytes: 5_000_000_000 }],
      outcome: "ok",
    });
  }
  await store.saveRun({ ...started, startedAtMs: atMs, endedAtMs: atMs + 60_000, outcome: "ok" });
}

const QUESTIONS: Readonly<Record<string, (store: CatalogStore) => Promise<unknown>>> = {
  "states of all plans": (store) => store.planStates(),
  "states of all plans of all hosts": (store) => store.planStatesOfAllHosts(),
  "state of one plan": (store) => store.planStates([planName(77)]),
  "the newest 20 runs": (store) => store.listRuns({ limit: 20 }),
  "the newest 20 runs of all hosts": (store) => store.listRuns({ hosts: "all", limit: 20 }),
  "the newest 20 runs of a plan": (store) => store.listRuns({ plan: planName(77), limit: 20 }),
  "runs that never ended": (store) => store.listOpenRuns(),
  "snapshots of a plan": (store) => store.listSnapshots({ plan: planName(77), limit: 100 }),
  "a run's records (4 writes)": (store) => saveOneRun(store, 77, Number(values.days)),
};

/** First time, with opening; the median of more in the same process, and what CPU those took. */
async function ask(name: string, location: string): Promise<void> {
  const question = QUESTIONS[name];
  if (question === undefined) throw new Error(`no question is called ${name}`);
  const startMs = performance.now();
  await using store = await open(location);
  await question(store);
  const firstMs = performance.now() - startMs;
  const timesMs: number[] = [];
  const usedBefore = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const beginMs = performance.now();
    await question(store);
    timesMs.push(performance.now() - beginMs);
  }
  const { user, system } = process.cpuUsage(usedBefore);
  const cpuMs = (user + system) / 1_000 / ROUNDS;
  const medianMs = timesMs.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  const peakMB = Math.round(process.resourceUsage().maxRSS / 1_000);
  const times = [firstMs, medianMs, cpuMs].map((ms) => ms.toFixed(1).padStart(8)).join(" ");
  console.log(`${name.padEnd(32)} ${times} ${String(peakMB).padStart(6)}`);
}

/** A whole `comeback status`, the published program's start included: of some plans, and of all in the catalog. */
function askAsUser(folder: string, location: string): void {
  const config = join(folder, "comeback.yaml");
  const destination = (name: string) =>
    `  ${name}: { repo: ${folder}/${name}, password: { env: NONE } }`;
  console.log(`\n${"the program".padEnd(32)} median ms  (min-max)`);
  for (const plans of [1, 12, 100]) {
    const lines = Array.from({ length: plans }, (_, plan) => {
      const rest = `schedule: daily 02:00, to: [nas, cloud], objectives: { rpo: 26h }`;
      return `  ${planName(plan)}: { sources: { content: { files: /srv/${plan} } }, ${rest} }`;
    });
    const head = [`host: web1`, `state: ${folder}`, `catalog: ${location}`, "destinations:"];
    const text = [...head, destination("nas"), destination("cloud"), "plans:", ...lines];
    writeFileSync(config, text.join("\n"), { mode: 0o600 });
    time(`status of ${plans}`, ["--config", config, "status"]);
  }
  time("status --all-hosts", ["--config", config, "status", "--all-hosts"]);
}

function time(name: string, args: readonly string[]): void {
  const timesMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const beginMs = performance.now();
    const { status, stdout, stderr } = spawnSync(PROGRAM, args, { maxBuffer: 2 ** 26 });
    timesMs.push(performance.now() - beginMs);
    if (status === null || stdout.length === 0) throw new Error(`${name}: ${stderr.toString()}`);
  }
  const [least = 0, ...more] = timesMs.toSorted((a, b) => a - b);
  const [medianMs = 0, mostMs = 0] = [more[(ROUNDS >> 1) - 1], more.at(-1)];
  const [median, min, max] = [medianMs, least, mostMs].map((ms) => ms.toFixed(0));
  console.log(`${name.padEnd(32)} ${median?.padStart(9)}  (${min}-${max})`);
}

async function build(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, "comeback-bench-catalog-"));
  // Made in memory, where making sure of each commit costs nothing; asked where disks are.
  const memory = existsSync("/dev/shm") ? "/dev/shm" : values.folder;
  const workshop = mkdtempSync(join(memory, "comeback-bench-catalog-"));
  const [plans, days] = [Number(values.plans), Number(values.days)];
  try {
    const made = join(workshop, "catalog.sqlite");
    await (await open(made))[Symbol.asyncDispose]();
    const startMs = performance.now();
    loadHistory(made, plans, days);
    await loadLastDay(made, plans, days);
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
    const location = join(folder, "catalog.sqlite");
    copyFileSync(made, location);
    rmSync(workshop, { recursive: true });
    const megabytes = Math.round(statSync(location).size / 1e6);
    const what = `${plans} plans, ${days} days, ${plans * days} runs`;
    console.log(`${what}: ${megabytes} MB, made in ${seconds} s`);
    console.log(`${"".padEnd(32)} first ms  then ms   CPU ms peak MB`);
    for (const name of Object.keys(QUESTIONS)) {
      const given = ["--ask", name, "--location", location, "--days", values.days];
      execFileSync(process.execPath, [import.meta.filename, ...given], { stdio: "inherit" });
    }
    askAsUser(folder, location);
  } finally {
    for (const path of [folder, workshop]) rmSync(path, { recursive: true, force: true });
  }
}

await (values.ask === undefined ? build() : ask(values.ask, values.location));
