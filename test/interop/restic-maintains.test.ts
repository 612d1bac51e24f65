import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018, RESTICS } from "../drivers/tools.ts";

/** restic's other commands on our repositories, and we go on after them. */
const folder = scratchFolder("restic-maintains");
const MiB = 1024 * 1024;

for (const [i, tool] of RESTICS.entries()) {
  test(`${tool.name} forgets and prunes, and we go on`, async () => {
    const place = makeFolder(folder, tool.name);
    const random = new SeededRandom(500 + i);
    const corpus = new Corpus(join(place, "source"), random, { small: 200, large: 4 });
    // "." leaves the folders above out, which others change.
    const ours = new Client(COMEBACK, join(place, "repository"));
    const theirs = new Client(tool, ours.repository);
    await initQuickly(ours);
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 3; n++) {
        corpus.change(30);
        await (n === 1 ? theirs : ours).backup(["."], { cwd: corpus.folder });
      }
      await theirs.done(["forget", "--keep-last", "1", "--prune", "--max-unused", "0"]);
      assert.equal((await ours.snapshots()).length, 1);
      await ours.check();
      await theirs.check();
      const { files_unmodified: unmodified, data_added: added } = await ours.backup(["."], {
        cwd: corpus.folder,
      });
      assert.equal(unmodified, 204);
      assert.equal(added, 0);
      const target = join(place, `restored-${round}`);
      await ours.restore("latest", target);
      assertSameTree(corpus.folder, target, { tops: false });
    }
  });
}

test("rebuild-index, repack, rewrite, tag, copy: what restic makes of our repository we read", async () => {
  const place = makeFolder(folder, "other-commands");
  const corpus = new Corpus(join(place, "source"), new SeededRandom(510), { small: 100, large: 2 });
  const ours = new Client(COMEBACK, join(place, "repository"));
  const theirs = new Client(RESTIC_018, ours.repository);
  await initQuickly(ours);
  await ours.backup(["."], { cwd: corpus.folder });
  await theirs.done(["tag", "--add", "kept", "latest"]);
  await theirs.done(["rewrite", "--exclude", "small-0", "latest"]);
  await theirs.done(["repair", "index", "--read-all-packs"]);
  await theirs.done(["prune", "--repack-small", "--max-unused", "0"]);
  await ours.check();
  const copied = new Client(RESTIC_018, join(place, "copy"));
  const from = ["--from-repo", ours.repository];
  const env = { RESTIC_FROM_PASSWORD: PASSWORD };
  await initQuickly(copied, ["--copy-chunker-params", ...from], { env });
  await copied.done(["copy", ...from], { env });
  const oursCopied = new Client(COMEBACK, copied.repository);
  await oursCopied.check();
  const tags = (await oursCopied.snapshots()).map((snapshot) => snapshot.tags ?? []);
  assert.ok(tags.every((list) => list.includes("kept")));
  const { data_blobs: blobs } = await oursCopied.backup(["."], { cwd: corpus.folder });
  assert.equal(blobs, 0);
});

test("find, diff and dump on our snapshots", async () => {
  const place = makeFolder(folder, "look");
  const source = makeFolder(place, "source");
  const ours = new Client(COMEBACK, join(place, "repository"));
  await initQuickly(ours);
  const bytes = new SeededRandom(520).bytes(3 * MiB);
  writeFileSync(join(source, "stays"), bytes);
  writeFileSync(join(source, "old name"), "something\n");
  const first = await ours.backup([source]);
  renameSync(join(source, "old name"), join(source, "new name"));
  const second = await ours.backup([source]);
  for (const tool of RESTICS) {
    const theirs = new Client(tool, ours.repository);
    const found = await theirs.json<{ matches: { path: string }[]; snapshot: string }[]>([
      "find",
      "old name",
    ]);
    assert.deepEqual(
      found.map(({ snapshot, matches }) => [snapshot, matches.map(({ path }) => path)]),
      [[first.snapshot_id, [join(source, "old name")]]],
    );
    const diff = await theirs.done(["diff", first.snapshot_id, second.snapshot_id]);
    const text = diff.stdout.toString("utf8");
    assert.match(text, /^- .*\/old name$/m);
    assert.match(text, /^\+ .*\/new name$/m);
    assert.doesNotMatch(text, /stays/);
    const dumped = await theirs.done(["dump", "latest", join(source, "stays")]);
    assert.ok(dumped.stdout.equals(bytes));
  }
});

test("what comes in by standard input or from a command, restic dumps, and the other way round", async () => {
  const repository = join(folder, "streams");
  const ours = new Client(COMEBACK, repository);
  const theirs = new Client(RESTIC_018, repository);
  await initQuickly(ours);
  const bytes = new SeededRandom(530).bytes(40 * MiB + 123);
  const file = join(folder, "stream-source");
  writeFileSync(file, bytes);

  const stdin = ["--stdin", "--stdin-filename", "stream.bin"];
  const mine = await ours.backup(stdin, { input: bytes });
  assert.equal(mine.total_bytes_processed, bytes.length);
  for (const client of [theirs, new Client(RESTIC_014, repository)]) {
    const { stdout } = await client.done(["dump", "latest", "/stream.bin"]);
    assert.ok(stdout.equals(bytes), client.tool.name);
  }
  // The same bytes have the same cut points: restic stores none of them again.
  assert.equal((await theirs.backup(stdin, { input: bytes })).data_blobs, 0);
  assert.equal((await theirs.backup([file])).data_blobs, 0);
  assert.equal((await ours.backup([file])).data_blobs, 0);

  const command = ["--stdin-from-command", "--stdin-filename", "dump.sql", "--", "cat", file];
  assert.equal((await ours.backup(command)).data_blobs, 0);
  const { stdout } = await theirs.done(["dump", "latest", "/dump.sql"]);
  assert.ok(stdout.equals(bytes));

  // As with restic: most likely the program before us failed.
  const empty = await ours.run(["backup", ...stdin], { input: "" });
  assert.notEqual(empty.exitCode, 0, empty.describe());
  assert.notEqual((await theirs.run(["backup", ...stdin], { input: "" })).exitCode, 0);

  const target = join(folder, "streams-restored");
  await ours.restore("latest:/", target);
  await theirs.check();
});

test("a command that fails makes no snapshot", async () => {
  const ours = new Client(COMEBACK, join(folder, "failing-command"));
  await initQuickly(ours);
  const script = "head -c 20000000 /dev/urandom; exit 7";
  const failed = await ours.run(["backup", "--stdin-from-command", "--", "sh", "-c", script]);
  assert.equal(failed.exitCode, 1, failed.describe());
  assert.match(failed.stderr, /\b7\b/, failed.describe());
  assert.deepEqual(await ours.snapshots(), []);
  const missing = await ours.run(["backup", "--stdin-from-command", "--", "/no/such/program"]);
  assert.equal(missing.exitCode, 1, missing.describe());
  assert.match(missing.stderr, /no\/such\/program/, missing.describe());
  await new Client(RESTIC_018, ours.repository).check();
});
