import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, type Outcome, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
const template = scratch.at("template");
let dataPack = "";

before(async () => {
  await makeQuickRepository(template);
  const source = scratch.at("source");
  mkdirSync(source);
  writeFileSync(join(source, "first"), "first ".repeat(1000));
  writeFileSync(join(source, "second"), "second ".repeat(1000));
  const { exitCode, stderr } = runComeback(["-r", template, "backup", source]);
  assert.equal(exitCode, 0, stderr);
  const packs = allPacks(template);
  // The pack of trees is the one that a check reads without being told to.
  const [index = ""] = readdirSync(join(template, "index"));
  const { stdout } = runComeback(["-r", template, "cat", "index", index]);
  const listed = JSON.parse(stdout) as { packs: { id: string; blobs: { type: string }[] }[] };
  dataPack = listed.packs.find(({ blobs }) => blobs[0]?.type === "data")?.id ?? "";
  assert.ok(packs.includes(dataPack));
});
after(() => scratch[Symbol.dispose]());

function allPacks(repository: string): string[] {
  const files = readdirSync(join(repository, "data"), { recursive: true, withFileTypes: true });
  return files.filter((entry) => entry.isFile()).map(({ name }) => name);
}

let copies = 0;

/** A copy of the repository, and a way to run commands on it, in a folder of its own. */
function copy(): { path: string; kept: string; run(...args: string[]): Outcome } {
  const path = scratch.at(`copy-${copies}`);
  const kept = scratch.at(`kept-${copies++}`);
  cpSync(template, path, { recursive: true, preserveTimestamps: true });
  mkdirSync(kept);
  return { path, kept, run: (...args) => runComeback(["-r", path, ...args], { cwd: kept }) };
}

function damagePack(repository: string, change: (bytes: Buffer) => Uint8Array): void {
  const path = join(repository, "data", dataPack.slice(0, 2), dataPack);
  chmodSync(path, 0o600);
  writeFileSync(path, change(readFileSync(path)));
}

const flipped = (bytes: Buffer): Buffer => {
  bytes[10]! ^= 1;
  return bytes;
};

test("repair index shows what it would do, does it, and tells programs the same", () => {
  const { path, run } = copy();
  for (const name of readdirSync(join(path, "index"))) rmSync(join(path, "index", name));
  const dry = run("repair", "index", "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /^0 index files, 2 packs\n2 packs to list anew:\n {2}pack [0-9a-f]{10}: no/,
  );
  const [plan] = jsonLines(run("repair", "index", "--dry-run", "--json").stdout);
  assert.deepEqual([plan?.["message_type"], plan?.["dry_run"]], ["summary", true]);
  assert.deepEqual(readdirSync(join(path, "index")), []);
  const [done] = jsonLines(run("repair", "index", "--json").stdout);
  assert.deepEqual(
    [done?.["dry_run"], done?.["packs_read"], done?.["index_files_written"]],
    [false, 2, 1],
  );
  assert.match(run("repair", "index").stdout, /the index fits the packs: nothing to do\n$/);
  assert.equal(run("check", "--read-data").exitCode, 0);
});

test("repair index names packs that have to be repaired themselves", () => {
  const { path, run } = copy();
  damagePack(path, (bytes) => bytes.subarray(0, -20));
  const { exitCode, stderr } = run("repair", "index");
  assert.equal(exitCode, 1);
  assert.match(stderr, /\[repair\.incomplete\]/);
  assert.ok(stderr.includes(`comeback repair packs ${dataPack.slice(0, 10)}`), stderr);
});

test("repair packs saves what is intact, and never writes over what was kept before", () => {
  const { path, kept, run } = copy();
  damagePack(path, flipped);
  const before = readFileSync(join(path, "data", dataPack.slice(0, 2), dataPack));
  const dry = run("repair", "packs", dataPack.slice(0, 8), "-n");
  assert.match(dry.stdout, /: 1 blob to save \(\d+ B\), 1 lost\n {2}its content does not match/);
  assert.deepEqual(readdirSync(kept), []);
  writeFileSync(join(kept, `pack-${dataPack}`), "another file");
  const refused = run("repair", "packs", dataPack);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /is\s+in the working folder already \[repair\.incomplete\]/);
  assert.ok(allPacks(path).includes(dataPack));
  rmSync(join(kept, `pack-${dataPack}`));
  const { exitCode, stdout } = run("repair", "packs", dataPack, "--json");
  assert.equal(exitCode, 0);
  const [summary] = jsonLines(stdout);
  assert.deepEqual([summary?.["blobs_saved"], summary?.["blobs_lost"]], [1, 1]);
  assert.deepEqual(readFileSync(join(kept, `pack-${dataPack}`)), before);
  assert.ok(!allPacks(path).includes(dataPack));
});

test("repair snapshots cuts out what is lost, and recover finds what nothing leads to", () => {
  const { path, run } = copy();
  rmSync(join(path, "data", dataPack.slice(0, 2), dataPack));
  const tooSoon = run("repair", "snapshots");
  assert.equal(tooSoon.exitCode, 1);
  assert.match(tooSoon.stderr, /the index does not fit the packs/);
  assert.match(tooSoon.stderr, /comeback repair index/);
  assert.match(run("repair", "index").stdout, /1 missing pack to forget:/);
  const dry = run("repair", "snapshots", "--dry-run");
  assert.match(
    dry.stdout,
    /\/first: lost content is cut out\n.*\/second: lost content is cut out\n/,
  );
  const done = run("repair", "snapshots", "--forget", "latest");
  assert.match(done.stdout, /saved snapshot [0-9a-f]{8} in place of [0-9a-f]{8}\n$/);
  assert.equal(run("check", "--read-data").exitCode, 0);
  assert.match(run("repair", "snapshots").stdout, /1 snapshot of 1 sound\nno snapshot is changed/);

  assert.match(run("recover").stdout, /no snapshot to write/, "what it was mended from counts not");
  for (const name of readdirSync(join(path, "snapshots"))) rmSync(join(path, "snapshots", name));
  const found = run("recover", "--dry-run");
  assert.match(found.stdout, /^\d+ folder trees in the repository\n1 folder to recover/);
  const [summary] = jsonLines(run("recover", "--json").stdout);
  assert.match(String(summary?.["snapshot_id"]), /^[0-9a-f]{64}$/);
  assert.match(run("recover").stdout, /no snapshot to write/);
  assert.equal(run("check", "--read-data").exitCode, 0);
});

test("what makes no sense is refused before anything is opened", () => {
  const refused: [string[], RegExp][] = [
    [["repair"], /missing required argument/],
    [["repair", "everything"], /accepted: index, packs, snapshots/],
    [["repair", "index", "12345678"], /takes no ids/],
    [["repair", "packs"], /check --read-data/],
    [["repair", "packs", "--forget", "12345678"], /option of `repair snapshots`/],
    [["repair", "index", "--host", "x"], /option of `repair snapshots`/],
    [["repair", "snapshots", "--read-all-packs"], /option of `repair index`/],
    [["repair", "index", "--no-lock"], /needs a lock/],
    [["recover", "--no-lock"], /needs a lock/],
  ];
  for (const [args, says] of refused) {
    const { exitCode, stderr } = runComeback(["-r", scratch.at("nothing"), ...args]);
    assert.equal(exitCode, 1, args.join(" "));
    assert.match(stderr.replaceAll(/\s+/g, " "), says);
    assert.match(stderr, /option\.invalid/);
  }
  const { run } = copy();
  assert.match(run("repair", "packs", "ffff").stderr, /there is no pack "ffff"/);
  assert.match(run("repair", "snapshots", "ffff").stderr, /snapshot\.not-found/);
});
