import assert from "node:assert/strict";
import { existsSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { filesOf } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { signalAtWrite } from "../drivers/signal-at-write.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

const SEED = 881;
const folder = memoryFolder("left-overs");
const repository = join(folder, "repository");
const ours = new Client(COMEBACK, repository);
const corpus = new Corpus(makeFolder(folder, "source"), new SeededRandom(SEED), {
  small: 20,
  large: 2,
});

interface PlanMessage {
  readonly message_type: string;
  readonly left_overs?: { readonly files: number; readonly bytes: number };
  readonly left_overs_removed?: number;
}

test("what kill -9 left of a pack is shown and removed by a prune a day later", async () => {
  await ours.done(["init"]);
  // Its first file is made, and has no name of a pack yet.
  const env = signalAtWrite({ below: join(repository, "data"), signal: "SIGKILL", moment: 3 });
  const killed = await ours.run(["backup", corpus.folder], { env });
  assert.notEqual(killed.exitCode, 0, killed.describe());
  const isTemporary = (path: string): boolean => path.includes("-tmp-");
  const left = filesOf(repository, "data").filter(isTemporary);
  assert.ok(left.length > 0, filesOf(repository, "data").join("\n"));
  await ours.done(["unlock"]);
  await ours.backup([corpus.folder]);

  // Young: it may belong to somebody who is only slow.
  await ours.done(["prune"]);
  assert.deepEqual(filesOf(repository, "data").filter(isTemporary), left);

  const dayAgo = Date.now() / 1000 - 25 * 3600;
  for (const path of left) utimesSync(join(repository, path), dayAgo, dayAgo);
  // restic's names for the same are its own business.
  const restics = join(repository, "data", "ab", `${"ab".repeat(32)}-tmp-1234567890`);
  writeFileSync(restics, "a part of a pack");
  utimesSync(restics, dayAgo, dayAgo);
  const shown = await ours.done(["prune", "--dry-run"]);
  assert.match(
    shown.stdout.toString(),
    new RegExp(`^${left.length} temporary files? of runs`, "m"),
  );
  assert.ok(left.every((path) => existsSync(join(repository, path))));
  const [plan, summary] = await ours.lines<PlanMessage>(["prune"]);
  assert.equal(plan?.left_overs?.files, left.length);
  assert.equal(summary?.left_overs_removed, left.length);
  assert.deepEqual(filesOf(repository, "data").filter(isTemporary), [
    restics.slice(repository.length + 1),
  ]);
  await ours.check();
  renameSync(restics, join(folder, "elsewhere"));
  await new Client(RESTIC_018, repository).check();
});
