import assert from "node:assert/strict";
import { readdirSync, mkdirSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { openCatalog } from "@comeback/catalog";
import type { CatalogStore, RunRecord } from "@comeback/core";
import { readSnapshotTags, snapshotTags } from "@comeback/operations";
import { systemClock } from "@comeback/platform";
import { makeRun, makeSnapshot } from "@comeback/testkit";
import { makeQuickRepository } from "./quick-repository.ts";
import {
  jsonLines,
  type Outcome,
  runComeback,
  ScratchFolder,
  startComeback,
} from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const START_MS = Date.UTC(2026, 10, 28, 2);
const LONG = "a-plan-whose-name-is-as-long-as-names-of-plans-may-possibly-be.yes";

function open(location: string): Promise<CatalogStore> {
  const { signal } = new AbortController();
  return openCatalog(location, { host: "web1", clock: systemClock, signal });
}

const catalog = scratch.at("catalog.sqlite");
const store = await open(catalog);
after(() => store[Symbol.asyncDispose]());

const configuration = scratch.at("comeback.yaml");
writeFileSync(configuration, "host: web1\ndestinations: {}\nplans: {}\n", { mode: 0o600 });
const env = { COMEBACK_CONFIG: configuration };

function run(...args: string[]): Outcome {
  return runComeback([...args, "--catalog", catalog], { env });
}

function assertNarrow({ stdout }: Outcome): void {
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
}

const ok: RunRecord = makeRun({
  id: "20261128-020000-4f2a",
  backupType: "incremental",
  scheduledForMs: START_MS,
  startedAtMs: START_MS,
  endedAtMs: START_MS + 83_000,
  outcome: "ok",
});
const failed: RunRecord = makeRun({
  id: "20261129-020000-9c01",
  plan: LONG,
  backupType: "differential",
  startedAtMs: START_MS + 86_400_000,
  endedAtMs: START_MS + 86_400_000 + 4_000_000,
  outcome: "failed",
  message: "db: pg_dump ended with exit code 1",
});
const running = makeRun({ id: "20261130-020000-aaaa", startedAtMs: START_MS + 2 * 86_400_000 });
for (const record of [ok, failed, running]) await store.saveRun(record);
await store.saveStage({
  runId: failed.id,
  sequence: 0,
  stage: "capture",
  subject: "a source with a rather long name, and more",
  startedAtMs: failed.startedAtMs,
  endedAtMs: failed.startedAtMs + 3_000,
  outcome: "failed",
  attempts: 3,
  message: "pg_dump ended with exit code 1: connection to the server was lost in the middle of it",
  errorCode: "command.failed",
});
await store.appendLog(
  ["info", "warning", "error"].map((level, sequence) => ({
    runId: failed.id,
    sequence,
    atMs: failed.startedAtMs + sequence,
    level: level as "info" | "warning" | "error",
    stage: "capture",
    subject: "db",
    text: `line ${sequence} \u001b[2J ${"word ".repeat(20)}`,
  })),
);
await store.saveSnapshot(
  makeSnapshot({ snapshotId: "1".repeat(64), runId: failed.id, source: LONG, destination: LONG }),
);

test("runs: a table within 80 columns, filters, JSON", () => {
  const all = run("history");
  assert.equal(all.exitCode, 0, all.stderr);
  assertNarrow(all);
  assert.match(all.stdout, /^20261128-020000-4f2a {2}shop +2026-11-28 02:00 +incr +83 s +ok$/m);
  assert.match(all.stdout, /^20261129.*a-pl…sibly-be\.yes|^20261129.* failed$/m);
  assert.match(all.stdout, /^20261130.*running$/m);
  assert.doesNotMatch(run("history", "--plan", "shop").stdout, /20261129/);
  assert.match(run("history", "--plan", "nobody").stdout, /^no runs of web1$/m);
  const [json] = jsonLines(run("history", "--json", "--outcome", "failed").stdout);
  assert.deepEqual(json, [
    {
      id: failed.id,
      plan: LONG,
      host: "web1",
      trigger: "schedule",
      backup_type: "differential",
      started_at: "2026-11-29T02:00:00.000Z",
      ended_at: "2026-11-29T03:06:40.000Z",
      outcome: "failed",
      message: failed.message,
      process_id: 4711,
    },
  ]);
  assert.equal(jsonLines(run("history", "-n", "1", "--json").stdout)[0]?.["length"], 1);
});

test("one run: stages, snapshots, what was wrong; by prefix and as the latest", () => {
  const one = run("history", "20261129");
  assert.equal(one.exitCode, 0, one.stderr);
  assertNarrow(one);
  assert.match(one.stdout, /^run 20261129-0.*possibly-be\.yes on web1: failed$/m);
  assert.match(one.stdout, /^capture +a source.*more +3\.0 s +3 +failed$/m);
  assert.match(one.stdout, /\[command\.failed\]/);
  assert.match(one.stdout, /^11111111 .*incr.*ok$/m);
  assert.match(one.stdout, /^ {2}capture db: line 2 \\x1b\[2J/m);
  assert.doesNotMatch(one.stdout, /line 0/);
  assert.match(run("history", "latest").stdout, /^run 20261130/);
  assert.match(run("history", "latest", "--plan", LONG).stdout, /^run 20261129/);
  const [json] = jsonLines(run("history", "20261129", "--json").stdout);
  assert.deepEqual(Object.keys(json ?? {}), ["run", "stages", "snapshots", "problems"]);
});

test("a run that is not there, or not clear, and a catalog that is not there", () => {
  for (const [args, says] of [
    [["history", "1999"], /there is no run 1999 \[run\.not-found\]/],
    [["history", "202611"], /several runs[\s\S]*20261130-020000-aaaa, 20261129/],
    [["logs", "2"], /several runs/],
    [["history", "latest", "--plan", "nobody"], /no run of nobody on web1/],
    [["history", "latest", "--file", "/x"], /questions of their own/],
    [["history", "--source", "x"], /--source goes with --file/],
    [["history", "latest", "--all-hosts"], /--all-hosts goes with lists/],
    [["history", "--outcome", "good"], /ok, warning, failed, skipped/],
  ] as const) {
    const { exitCode, stderr, stdout } = run(...args);
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, says);
  }
  const none = runComeback(["history", "--catalog", scratch.at("none/catalog.sqlite")]);
  assert.equal(none.exitCode, 1);
  assert.match(none.stderr, /there is no catalog at .*\s+\[catalog\.none\]/);
  const named = { ...env, COMEBACK_CATALOG: catalog };
  assert.match(runComeback(["history"], { env: named }).stdout, /20261128/);
});

test("logs: all lines, whole where nobody's terminal is, and as JSON", () => {
  const { stdout, exitCode } = run("logs", "20261129");
  assert.equal(exitCode, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? "", /^02:00:00 capture db: error: line 2 \\x1b\[2J word .* word ?$/);
  const messages = jsonLines(run("logs", "20261129", "--json").stdout);
  assert.deepEqual(
    messages.map(({ level }) => level),
    ["info", "warning", "error"],
  );
  assert.equal(messages[0]?.["at"], "2026-11-29T02:00:00.000Z");
});

test("logs -f follows until the run has ended", async () => {
  const id = "20261201-020000-0001";
  const followed = makeRun({ id, plan: "followed", startedAtMs: START_MS });
  const line = (sequence: number) =>
    ({ runId: id, sequence, atMs: START_MS, level: "info", text: `line ${sequence}` }) as const;
  await store.saveRun(followed);
  await store.appendLog([line(0)]);
  const { child, ended } = startComeback(["logs", id, "-f", "--catalog", catalog]);
  const first = new Promise((resolve) => child.stdout?.once("data", resolve));
  await first;
  await store.appendLog([line(1)]);
  await store.appendLog([line(2)]);
  await store.saveRun({ ...followed, endedAtMs: START_MS + 1, outcome: "ok" });
  const { stdout, exitCode } = await ended;
  assert.equal(exitCode, 0);
  assert.deepEqual(stdout.match(/line \d/g), ["line 0", "line 1", "line 2"]);
});

test("file history: which snapshots hold which version", async () => {
  const path = "/srv/shop/caf\xc3\xa9.txt";
  const version = (content: number) => ({
    sizeBytes: content * 1_000,
    modifiedAtMs: START_MS + content,
    contentHash: `hash ${content}`,
  });
  for (const [number, content] of [1, 1, 2].entries()) {
    const snapshotId = String(number).repeat(64);
    const snapshot = makeSnapshot({
      plan: "files",
      snapshotId,
      atMs: START_MS + number * 86_400_000,
    });
    await store.saveSnapshot(snapshot);
    const change = { path, version: version(content) };
    await store.recordFileChanges(
      snapshot,
      (async function* () {
        yield await Promise.resolve(change);
      })(),
    );
  }
  await store.markRemoved("nas", ["1".repeat(64)], START_MS);
  const found = run("history", "--file", "/srv/shop/café.txt");
  assert.equal(found.exitCode, 0, found.stderr);
  assertNarrow(found);
  assert.match(found.stdout, /^files of web1, content:$/m);
  assert.match(found.stdout, /1\.95 KiB {2}2026-11-30 {2}2026-11-30 {3}1 {2}22222222/);
  assert.match(found.stdout, /1000 B {2}2026-11-28 {2}2026-11-29 {3}1 {2}00000000/);
  const [json] = jsonLines(run("history", "--file", "/srv/shop/café.txt", "--json").stdout);
  const [source] = json as unknown as { versions: { path: string; held: number }[] }[];
  assert.equal(source?.versions[0]?.path, "/srv/shop/café.txt");
  const none = run("history", "--file", "/srv/shop/other");
  assert.equal(none.exitCode, 1);
  assert.match(none.stderr, /\[snapshot\.path-not-found\]/);
});

test("audit: list, verify, and exit code 1 where it is broken", async () => {
  const location = scratch.at("audit.sqlite");
  await using own = await open(location);
  for (const subject of ["shop", "nas/3f2a71c9 and a very long subject that goes on and on"]) {
    await own.appendAudit({
      atMs: START_MS,
      actor: "root@a-host-with-a-long-name",
      action: "configuration.load",
      subject,
      details: { camelCase: 1 },
    });
  }
  const audit = (...args: string[]): Outcome =>
    runComeback(["audit", ...args, "--catalog", location]);
  const list = audit("list");
  assert.equal(list.exitCode, 0, list.stderr);
  assertNarrow(list);
  assert.equal(list.stdout.trimEnd().split("\n").length, 4);
  const [entries] = jsonLines(audit("list", "--json", "-n", "1").stdout) as unknown as object[][];
  assert.equal(entries?.length, 1);
  const [entry] = entries as { details: object }[];
  assert.deepEqual(entry?.details, { camelCase: 1 });

  const whole = audit("verify");
  assert.equal(whole.exitCode, 0);
  const head = /^head: (2:[0-9a-f]{64})$/m.exec(whole.stdout)?.[1] ?? "";
  assert.equal(audit("verify", "--head", head).exitCode, 0);
  const other = audit("verify", "--head", `2:${"0".repeat(64)}`);
  assert.equal(other.exitCode, 1);
  assert.match(other.stderr, /broken at entry 2 \[audit\.broken\]/);
  {
    using database = new DatabaseSync(location);
    database.exec("update audit_entries set actor = 'nobody' where sequence = 2");
  }
  const broken = audit("verify");
  assert.equal(broken.exitCode, 1);
  assert.match(broken.stderr, /broken at entry 2 \[audit\.broken\][\s\S]*entries up to 1 hold/);
  const json = audit("verify", "--json");
  assert.equal(json.exitCode, 1);
  const [report] = jsonLines(json.stdout) as { broken?: { sequence: number } }[];
  assert.equal(report?.broken?.sequence, 2);
  assert.equal(audit("verify", "--limit", "3").exitCode, 1);
  assert.equal(audit("list", "--head", head).exitCode, 1);
  assert.equal(audit("verify", "--head", "2:abc").exitCode, 1);
});

test("history --rebuild fills a new catalog, and puts a damaged one aside", async () => {
  const repository = scratch.at("repository");
  const source = scratch.at("source");
  mkdirSync(source);
  writeFileSync(`${source}/file`, "content\n");
  await makeQuickRepository(repository);
  const tags = snapshotTags({
    plan: "shop",
    source: "content",
    backupType: "full",
    runId: "20261128-020000-4f2a",
  });
  assert.equal(readSnapshotTags(tags)?.backupType, "full");
  const ofOther = snapshotTags({
    plan: "shop",
    source: "content",
    backupType: "full",
    runId: "20261128-020000-77aa",
  });
  const flagsOf = (given: readonly string[], ...more: string[]) =>
    [...given, ...more].flatMap((tag) => ["--tag", tag]);
  for (const [host, more] of [
    ["web1", flagsOf(tags, "outcome:ok")],
    ["web1", flagsOf(tags)],
    ["web2", flagsOf(ofOther)],
    ["web1", ["--tag", "plan:x"]],
  ] as const) {
    const made = ["-r", repository, "backup", source, "--host", host, ...more];
    const { exitCode, stderr } = runComeback(made);
    assert.equal(exitCode, 0, stderr);
  }
  mkdirSync(scratch.at("rebuilt"));
  const location = scratch.at("rebuilt/catalog.sqlite");
  writeFileSync(location, "no database any more ".repeat(1_000));
  const damaged = runComeback(["history", "--catalog", location]);
  assert.equal(damaged.exitCode, 1);
  assert.match(damaged.stderr, /\[catalog\.damaged\][\s\S]*history --rebuild/);

  const rebuild = (...args: string[]): Outcome =>
    runComeback(["-r", repository, "history", "--rebuild", "--catalog", location, ...args], {
      env,
    });
  const first = rebuild("--destination", "nas");
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(
    first.stdout,
    /^recorded 3 snapshots and 2 runs of nas, of 2 hosts\n1 snapshot made by no/,
  );
  assert.match(first.stderr, /was damaged; it is kept as/);
  const names = readdirSync(scratch.at("rebuilt"));
  assert.ok(
    names.some((name) => name.startsWith("catalog.sqlite.damaged-")),
    names.join(),
  );
  const [again] = jsonLines(rebuild("--destination", "nas", "--json").stdout);
  const hosts = ["web1", "web2"];
  const counts = { runs: 0, snapshots: 0, known: 3, foreign: 1, hosts };
  assert.deepEqual(again, { message_type: "summary", destination: "nas", ...counts });

  const history = runComeback(["history", "latest", "--catalog", location], { env });
  assert.match(history.stdout, /^run 20261128-020000-4f2a of shop on web1: warning/);
  assert.match(history.stdout, /^full, rebuilt$/m);
  assert.match(history.stdout, /rebuilt from the repository: whether what it read was complete is/);
  await using rebuilt = await open(location);
  const [state] = await rebuilt.planStates();
  assert.equal(state?.newest.length, 1);
  assert.equal((await rebuilt.listSnapshots({ limit: 9 })).length, 2);
  const [other] = await rebuilt.forHost("web2").listSnapshots({ limit: 9 });
  assert.equal(other?.runId, "20261128-020000-77aa");
  assert.equal(state?.newest[0]?.files, 1);
});

test("several hosts: their own each, and all of them where that is asked for", async () => {
  const location = scratch.at("hosts.sqlite");
  await using own = await open(location);
  const other = own.forHost("a-host-with-a-rather-long-name.example.com");
  const ended = { backupType: "incremental", endedAtMs: START_MS + 83_000 } as const;
  await own.saveRun(makeRun({ id: "20261128-020000-4f2a9c01d3", outcome: "ok", ...ended }));
  const failedThere = makeRun({
    id: "20261128-020001-77aa9c01d3",
    host: other.host,
    outcome: "failed",
    ...ended,
    startedAtMs: START_MS + 1_000,
  });
  await other.saveRun(failedThere);
  const snapshot = makeSnapshot({ snapshotId: "2".repeat(64), runId: failedThere.id });
  await other.saveSnapshot(snapshot);
  await other.recordFileChanges(
    snapshot,
    (async function* () {
      const version = { sizeBytes: 1, modifiedAtMs: START_MS, contentHash: "hash" };
      yield await Promise.resolve({ path: "/srv/file", version });
    })(),
  );
  const at = (...args: string[]): Outcome =>
    runComeback(args, { env: { ...env, COMEBACK_CATALOG: location } });

  assert.doesNotMatch(at("history").stdout, /77aa/);
  const all = at("history", "--all-hosts");
  assert.equal(all.exitCode, 0, all.stderr);
  assertNarrow(all);
  assert.match(all.stdout, /^20261128-020000-4f2a {2}web1 +shop {2}incr +83 s +ok$/m);
  assert.match(
    all.stdout,
    /^20261128-020001-77aa {2}a-host-with-a-r… {2}shop +incr +82 s +failed$/m,
  );
  const found = at("history", "20261128-020001-77aa");
  assert.match(found.stdout, /on a-host-with.*: failed$/m);
  assert.match(found.stdout, /^22222222 /m);
  assert.equal(at("logs", failedThere.id).exitCode, 0);
  assert.equal(at("history", "--file", "/srv/file").exitCode, 1);
  const versions = at("history", "--file", "/srv/file", "--all-hosts");
  assert.match(versions.stdout, /^shop of a-host-.*, content:$/m);

  const status = at("status", "--all-hosts");
  assert.equal(status.exitCode, 1, status.stderr);
  assertNarrow(status);
  assert.match(status.stdout, /^2 plans of 2 hosts: the last run of 1 did not end well\.$/m);
  assert.match(status.stdout, /^web1 +shop +ok +.* never +-$/m);
  assert.match(status.stdout, /^a-host-with-a-rat… +shop +failed +never +never +-$/m);
  const [json] = jsonLines(at("status", "--all-hosts", "--json").stdout);
  const plans = json?.["plans"] as { host: string; last_run: { id: string } }[];
  assert.deepEqual(
    plans.map(({ last_run: run }) => run.id.slice(-10)),
    ["77aa9c01d3", "4f2a9c01d3"],
  );

  // Whoever looks with a mistake in the configuration still sees what was recorded.
  const broken = scratch.at("broken.yaml");
  writeFileSync(broken, "hots: web1\n", { mode: 0o600 });
  const named = { COMEBACK_CONFIG: broken, COMEBACK_CATALOG: location };
  const withMistake = runComeback(["history", "--all-hosts"], { env: named });
  assert.equal(withMistake.exitCode, 0);
  assert.match(withMistake.stderr, /^warning: the configuration has .*; what is recorded of/);
  assert.match(withMistake.stdout, /77aa/);
});
