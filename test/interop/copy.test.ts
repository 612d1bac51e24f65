import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client, jsonLines, PASSWORD, type SnapshotJson } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { DAMAGES } from "../drivers/damage.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { inventory, repositoryBytes, storedFiles } from "../drivers/repository-files.ts";
import { beyondRestic } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** Both tools copy between the same repositories, and take each other's copies for their own. */
const folder = memoryFolder("copy");
const source = join(folder, "source");
const random = new SeededRandom(402);
const trees = { first: join(folder, "tree-1"), second: join(folder, "tree-2") };
const from = ["--from-repo", source];
/** The source's password is another one, so that none can be taken for the other. */
const SOURCE_PASSWORD = "battery horse";
const ours = new Client(COMEBACK, source, SOURCE_PASSWORD);
const env = { RESTIC_FROM_PASSWORD: SOURCE_PASSWORD };
let targets = 0;
let corpus: Corpus;

before(async () => {
  randomTree(trees.first, 401, { entries: 120, largeFiles: true });
  corpus = new Corpus(makeFolder(trees.second), random, { small: 100, large: 1 });
  await initQuickly(ours);
  await ours.backup([trees.first], { args: ["--tag", "one,first"] });
  await ours.backup([trees.first, trees.second], { args: ["--host", "other"] });
  corpus.change(20);
  await new Client(RESTIC_018, source, SOURCE_PASSWORD).backup([trees.second], {
    args: ["--exclude", "small-1*", "--time", "2020-01-02 03:04:05"],
  });
});

interface TargetOptions {
  readonly by?: Tool;
  readonly args?: readonly string[];
}

/** Clients of a new repository with the source's chunker, or other ones where `args` say so. */
async function newTarget({ by = COMEBACK, args }: TargetOptions = {}): Promise<Client[]> {
  const repository = join(folder, `target-${targets++}`);
  const tools = [COMEBACK, RESTIC_018, RESTIC_014];
  const clients = tools.map((tool) => new Client(tool, repository));
  const wish = args ?? ["--copy-chunker-params", ...from];
  await initQuickly(new Client(by, repository), wish, { env });
  return clients;
}

async function assertCopied(client: Client, snapshots: readonly SnapshotJson[]): Promise<void> {
  const copies = await client.json<(SnapshotJson & { original: string })[]>(["snapshots"]);
  const comparable = (one: SnapshotJson): object => {
    const own = ["id", "short_id", "parent", "original"];
    return Object.fromEntries(Object.entries(one).filter(([key]) => !own.includes(key)));
  };
  const byOriginal = new Map(copies.map((copy) => [copy.original, copy]));
  assert.equal(copies.length, snapshots.length);
  for (const snapshot of snapshots) {
    const copy = byOriginal.get(snapshot.id) ?? assert.fail(`${snapshot.id} was not copied`);
    assert.deepEqual(comparable(copy), comparable(snapshot));
  }
}

async function assertRestores(target: Client, reader: Client): Promise<void> {
  for (const snapshot of await target.snapshots()) {
    for (const path of snapshot.paths) {
      // The second tree has changed since, and not all of it is in the last snapshot.
      if (path === trees.second) continue;
      const restored = join(folder, "restored");
      await reader.restore(`${snapshot.id}:${path}`, restored);
      const excuses = beyondRestic(RESTIC_018);
      const isRestic = reader.tool !== COMEBACK;
      assertSameTree(path, restored, { tops: false, ...(isRestic ? { excuses } : {}) });
      rmSync(restored, { recursive: true });
    }
  }
}

for (const by of [COMEBACK, RESTIC_018]) {
  test(`a repository with the source's chunker, made by ${by.name}, takes our copy`, async () => {
    const [target, restic, oldRestic] = (await newTarget({ by })) as [Client, Client, Client];
    const messages = await target.lines<{ message_type: string; action: string }>(
      ["copy", ...from],
      { env },
    );
    const snapshots = await ours.snapshots();
    assert.deepEqual(
      messages.filter(({ message_type: type }) => type === "snapshot").map(({ action }) => action),
      ["copied", "copied", "copied"],
    );
    await restic.check();
    await (by === COMEBACK ? oldRestic : target).check();
    await assertCopied(target, snapshots);
    await assertRestores(target, by === COMEBACK ? restic : target);

    // restic finds everything there, and so do we.
    const before = inventory(target.repository);
    await restic.done(["copy", ...from], { env });
    await oldRestic.done(["copy", ...from], { env });
    await target.done(["copy", ...from], { env });
    assert.deepEqual(inventory(target.repository), before);

    // Cut at the same places: a backup of the same files stores nothing of them again.
    const { data_blobs: blobs } = await target.backup([trees.first]);
    assert.equal(blobs, 0);
  });
}

test("what restic copied is not copied again, what it left out is", async () => {
  const [target, restic] = (await newTarget({ by: RESTIC_018 })) as [Client, Client];
  await restic.done(["copy", ...from, "--host", "other"], { env });
  const bytes = repositoryBytes(target.repository);
  const summary = (await target.lines<Record<string, unknown>>(["copy", ...from], { env })).at(-1);
  assert.equal(summary?.["snapshots_skipped"], 1);
  assert.equal(summary?.["snapshots_copied"], 2);
  // What the first one brought along is not stored again: the files that changed are.
  assert.ok(repositoryBytes(target.repository) - bytes < bytes / 2);
  await restic.check();
  await assertCopied(target, await ours.snapshots());
});

test("between the versions, with other chunkers, and compressed anew", async () => {
  const args = ["--repository-version", "1"];
  const [target, restic] = (await newTarget({ args })) as [Client, Client];
  const { stderr } = await target.done(["copy", ...from, "latest", "--path", trees.first], {
    env,
  });
  assert.match(stderr, /^warning: the two repositories cut files at different places/);
  const again = await target.done(["copy", ...from, "--compression", "max"], { env });
  assert.match(again.stdout.toString("utf8"), /copied 2 snapshots, 1 there already/);
  await restic.check();
  // Back again into version 2, whose blobs are compressed.
  const [home, homeRestic] = (await newTarget()) as [Client, Client];
  const back = ["copy", "--from-repo", target.repository];
  await home.done(back, { env: { RESTIC_FROM_PASSWORD: PASSWORD } });
  await homeRestic.check();
  await assertRestores(home, homeRestic);
  // The source knows them all by their origin.
  const known = inventory(source);
  await ours.done(["copy", "--from-repo", home.repository], {
    env: { RESTIC_FROM_PASSWORD: PASSWORD },
  });
  assert.deepEqual(inventory(source), known);
});

test("a damaged pack costs only the snapshots that need it", async () => {
  const damaged = join(folder, "damaged");
  const client = new Client(COMEBACK, damaged, SOURCE_PASSWORD);
  await initQuickly(client);
  await client.backup([trees.second]);
  const [pack] = storedFiles(damaged, "data");
  await client.backup([trees.first]);
  DAMAGES["one bit flipped"](join(damaged, pack ?? ""));
  const [target, restic] = (await newTarget({ args: [] })) as [Client, Client];
  const finished = await target.run(["copy", "--from-repo", damaged, "--json"], { env });
  assert.equal(finished.exitCode, 1, finished.describe());
  const summary = jsonLines<Record<string, unknown>>(finished).at(-1);
  assert.equal(summary?.["snapshots_failed"], 1);
  assert.equal(summary?.["snapshots_copied"], 1);
  assert.match(finished.stderr, /"message_type":"error","message":"pack [0-9a-f]{10} is damaged/);
  assert.match(finished.stderr, /\[copy.incomplete\]/);
  await restic.check();
  assert.deepEqual(
    (await target.snapshots()).map(({ paths }) => paths),
    [[trees.first]],
  );
});

test("mistakes on the command line cost one clear error", async () => {
  const [target] = (await newTarget({ args: [] })) as [Client];
  const mistakes: [readonly string[], RegExp][] = [
    [["copy"], /no repository to copy from/],
    [["copy", ...from, "--from-repository-file", "x"], /two answers to one question/],
    [["copy", "--from-repo", join(folder, "nothing")], /there is no repository at/],
    [["init", ...from], /only with --copy-chunker-params/],
    [["init", "--copy-chunker-params"], /needs a repository to copy them from/],
  ];
  const before = inventory(target.repository);
  for (const [args, says] of mistakes) {
    const finished = await target.run(args, { env });
    const isMissing = says.source.includes("no repository at");
    assertError(finished, {
      exitCode: isMissing ? 10 : 1,
      code: isMissing ? "repository.none" : "option.invalid",
      says,
    });
  }
  const wrong = await target.run(["copy", ...from], { env: { RESTIC_FROM_PASSWORD: "wrong" } });
  assert.equal(wrong.exitCode, 12, wrong.describe());
  assert.deepEqual(inventory(target.repository), before);
  assert.equal(existsSync(join(folder, "nothing")), false);
});
