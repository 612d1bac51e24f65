import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client, jsonLines, PASSWORD, summaryOf } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { DAMAGES } from "../drivers/damage.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory, storedFiles } from "../drivers/repository-files.ts";
import type { Finished } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** A backup into several repositories: each has its own outcome, and none stands in another's way. */
const folder = memoryFolder("several");
const source = makeFolder(folder, "source");
const places = ["a", "b", "c"].map((name) => join(folder, name));
const [first, second, third] = places.map((place) => new Client(COMEBACK, place)) as [
  Client,
  Client,
  Client,
];
const toOthers = ["--also-to", second.repository, "--also-to", third.repository];
let corpus: Corpus;

before(() => {
  corpus = new Corpus(source, new SeededRandom(71), { small: 60, large: 1 });
});

beforeEach(async () => {
  for (const place of places) {
    rmSync(place, { recursive: true, force: true });
    await makeQuickRepository(place);
  }
});

interface DestinationMessage {
  readonly message_type: string;
  readonly repository: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly snapshot_id?: string;
  readonly copied?: boolean;
}

function outcomesOf(finished: Finished): DestinationMessage[] {
  return jsonLines<DestinationMessage>(finished).filter(
    ({ message_type: type }) => type === "destination",
  );
}

async function assertHolds(client: Client, snapshots: number, top = source): Promise<void> {
  assert.equal((await client.snapshots()).length, snapshots);
  await client.check();
  const target = join(folder, "restored");
  await client.restore(`latest:${top}`, target);
  assertSameTree(source, target, { tops: false });
  rmSync(target, { recursive: true });
  assert.deepEqual(filesOf(client.repository, "locks"), []);
}

test("all hold the same snapshot, and a copy between them finds nothing to do", async () => {
  const finished = await first.done(["backup", "--json", ...toOthers, source]);
  const outcomes = outcomesOf(finished);
  assert.equal(outcomes[0]?.repository, first.repository);
  assert.equal(outcomes[0]?.snapshot_id, summaryOf(finished).snapshot_id);
  assert.deepEqual(
    outcomes.map(({ ok, copied = false }) => [ok, copied]),
    [
      [true, false],
      [true, true],
      [true, true],
    ],
  );
  for (const client of [first, second, third]) await assertHolds(client, 1);
  const [a, b] = [await first.snapshots(), await second.snapshots()];
  assert.equal(a[0]?.tree, b[0]?.tree);
  const stored = inventory(third.repository);
  const env = { RESTIC_FROM_PASSWORD: PASSWORD };
  for (const { repository } of [first, second]) {
    await third.done(["copy", "--from-repo", repository], { env });
  }
  assert.deepEqual(inventory(third.repository), stored);
});

test("one that is missing or has another password fails alone, and is made up for", async () => {
  const file = join(folder, "password");
  writeFileSync(file, "another one");
  rmSync(second.repository, { recursive: true });
  const args = [...toOthers, "--also-password-file", file];
  // "." leaves the folders above out, which change.
  const finished = await first.run(["backup", "--json", ...args, "."], { cwd: source });
  assert.equal(finished.exitCode, 1, finished.describe());
  const codes = new Map(outcomesOf(finished).map(({ repository, code }) => [repository, code]));
  assert.deepEqual(
    places.map((place) => codes.get(place)),
    [undefined, "repository.none", "key.wrong-password"],
  );
  assert.match(finished.stderr, /2 of 3 repositories do not have this backup/);
  await assertHolds(first, 1, "/");
  writeFileSync(file, PASSWORD);
  await makeQuickRepository(second.repository);
  // Nothing has changed; the others get what they have missed.
  await first.done(["backup", "--skip-if-unchanged", ...args, "."], { cwd: source });
  for (const client of [first, second, third]) await assertHolds(client, 1, "/");
});

test("where the first cannot be used, the next one takes its place", async () => {
  await first.done(["backup", ...toOthers, source]);
  corpus.change(30);
  rmSync(join(first.repository, "config"));
  const finished = await first.run(["backup", ...toOthers, source]);
  assert.equal(finished.exitCode, 1, finished.describe());
  assert.match(finished.stderr, /not saved to .*\/a: there is no\s+repository/);
  assert.match(finished.stderr, /1 of 3 repositories does not have this backup/);
  await assertHolds(second, 2);
  await assertHolds(third, 2);
});

test("where the first fails on the way, the next one takes its place", async () => {
  await first.done(["backup", source]);
  const [index = ""] = storedFiles(first.repository, "index");
  DAMAGES["cut in half"](join(first.repository, index));
  const finished = await first.run(["backup", "--json", ...toOthers, source]);
  assert.equal(finished.exitCode, 1, finished.describe());
  assert.deepEqual(
    outcomesOf(finished).map(({ code }) => code),
    ["repository.damaged", undefined, undefined],
  );
  await assertHolds(second, 1);
  await assertHolds(third, 1);
});

test("standard input goes into all of them; what was read once is not read again", async () => {
  await first.done(["backup", "--stdin", ...toOthers], { input: "from a pipe" });
  for (const client of [first, second, third]) {
    const { stdout } = await client.done(["dump", "latest", "stdin"]);
    assert.equal(stdout.toString("utf8"), "from a pipe");
  }
  const failing = ["--stdin-from-command", "--", "false"];
  const finished = await first.run(["backup", ...toOthers, ...failing]);
  assert.equal(finished.exitCode, 1, finished.describe());
  assert.match(finished.stderr, /\[command.failed\]/);
  for (const client of [first, second, third]) assert.equal((await client.snapshots()).length, 1);
});

test("exit code 3 where only the source was not complete, and none at all is an error", async () => {
  const unreadable = join(source, "unreadable");
  writeFileSync(unreadable, "x");
  chmodSync(unreadable, 0o000);
  const args = ["backup", "--json", ...toOthers, source];
  const finished = await first.run(args);
  // Whoever runs as root reads it all the same.
  const canRead = process.getuid?.() === 0;
  rmSync(unreadable);
  assert.equal(finished.exitCode, canRead ? 0 : 3, finished.describe());
  assert.equal(outcomesOf(finished).filter(({ ok }) => ok).length, 3);
  const nowhere = new Client(COMEBACK, join(folder, "nowhere"));
  const none = await nowhere.run(["backup", "--also-to", join(folder, "no"), source]);
  assert.equal(none.exitCode, 1);
  assert.match(
    none.stderr,
    /could be saved to none of the\s+repositories\s+\[backup.destination\]/,
  );
  const twice = await first.run(["backup", "--also-to", first.repository, source]);
  assert.match(twice.stderr, /named twice/);
  const dry = inventory(second.repository);
  await first.done(["backup", "--dry-run", ...toOthers, source]);
  assert.deepEqual(inventory(second.repository), dry);
});
