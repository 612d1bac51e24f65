import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { displayText, type FileType, isComebackError, type RepositoryFile } from "@comeback/core";
import { check, type CheckResult, listSnapshots, Repository } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { systemClock, systemRandom } from "@comeback/platform";
import { type MemoryBackend, SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { copyToFolder, copyToMemory } from "../drivers/memory-copy.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { contentsOf, repairAll, type SavedFiles } from "../drivers/repair-all.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";

/**
 * Every file of a small repository, one at a time, damaged in every way: `check` names it, the
 * repairs save all that can be saved, and restic finds what is left sound.
 */
const SEED = 20_263;
const folder = memoryFolder("repair-damage");
const source = join(folder, "source");

/** What is left of a file, or `undefined` where it is gone. */
const DAMAGES: Readonly<Record<string, (bytes: Buffer) => Uint8Array | undefined>> = {
  removed: () => undefined,
  "cut in half": (bytes) => bytes.subarray(0, bytes.length >> 1),
  "one bit flipped": (bytes) => {
    bytes[bytes.length >> 1]! ^= 0x10;
    return bytes;
  },
};

let tasks: Disposable;
before(() => (tasks = runTasksInThisThread(systemRandom)));
after(() => tasks[Symbol.dispose]());

const made = new Map<Tool, Promise<MemoryBackend>>();

/** Three snapshots with a pack of data and one of trees each, written by `tool`. */
function repositoryBy(tool: Tool): Promise<MemoryBackend> {
  return made.getOrInsertComputed(tool, makeRepository);
}

async function makeRepository(tool: Tool): Promise<MemoryBackend> {
  const random = new SeededRandom(SEED);
  rmSync(source, { recursive: true, force: true });
  makeFolder(source, "folder", "deep");
  const path = join(folder, tool.name);
  await makeQuickRepository(path);
  const client = new Client(tool, path);
  for (let round = 0; round < 3; round++) {
    for (const name of ["same", `folder/new-${round}`, "folder/deep/changing", `top-${round}`]) {
      if (name !== "same" || round === 0) {
        writeFileSync(join(source, name), random.bytes(random.integer(1, 200_000)));
      }
    }
    await client.backup(["."], { cwd: source });
  }
  return copyToMemory(path);
}

async function open(backend: MemoryBackend): Promise<Repository> {
  return Repository.open({
    backend: backend.sharing(),
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
  });
}

/** A copy in which one file is not what it was. */
async function damagedCopy(
  whole: MemoryBackend,
  file: RepositoryFile,
  damage: string,
): Promise<MemoryBackend> {
  const copy = whole.clone();
  const bytes = Buffer.from(await copy.load(file));
  const left = DAMAGES[damage]?.(bytes);
  if (left === undefined) await copy.remove(file);
  else copy.overwrite(file, left);
  return copy;
}

function filesOf(backend: MemoryBackend, type: FileType): RepositoryFile[] {
  return [...(backend.contents().get(type)?.keys() ?? [])].map((name) => ({ type, name }));
}

async function checkAll(backend: MemoryBackend): Promise<CheckResult> {
  await using repository = await open(backend);
  return await check({ repository, readData: { kind: "all" }, workers: 1 });
}

/** A lost snapshot leaves no trace; of a lost index file, check sees what it no longer finds. */
function assertNamed(result: CheckResult, { type, name }: RepositoryFile, damage: string): void {
  if (type === "snapshot" && damage === "removed") return assert.ok(result.ok);
  assert.equal(result.ok, false);
  if (type === "index" && damage === "removed") {
    assert.ok(result.problems.some(({ kind }) => kind.endsWith("-missing")));
    assert.ok(result.hints.some(({ kind }) => kind === "pack-not-indexed"));
    return;
  }
  const named = result.problems.map(({ file }) => file?.name);
  assert.ok(named.includes(name), `${type} ${name} is not named`);
}

/**
 * Every file of the undamaged snapshots comes back as it was, but for those that the first check
 * named; gives the number of both.
 */
function assertSaved(
  whole: SavedFiles,
  saved: SavedFiles,
  affected: CheckResult["affected"],
): { saved: number; lost: number } {
  const paths = Map.groupBy(affected, ({ snapshotId }) => snapshotId);
  const counts = { saved: 0, lost: 0 };
  for (const [id, { tree, files }] of whole.snapshots) {
    const lost = (paths.get(id) ?? []).map(({ path }) => (path === "/" ? "" : path));
    const left = saved.snapshots.get(id)?.files ?? saved.recovered.get(tree);
    for (const [path, hash] of files) {
      const isLost = lost.some((top) => path === top || path.startsWith(`${top}/`));
      counts[isLost ? "lost" : "saved"]++;
      if (!isLost) assert.equal(left?.get(path), hash, `${displayText(path)} of ${id.slice(0, 8)}`);
    }
  }
  return counts;
}

/** restic finds nothing wrong either, and restores what is left. */
async function assertResticAgrees(copy: MemoryBackend): Promise<void> {
  const work = join(folder, "work");
  copyToFolder(copy, work);
  const restic = new Client(RESTIC_018, work);
  await restic.done(["check", "--read-data"]);
  await restic.restore("latest", join(folder, "restored"));
  for (const path of [work, join(folder, "restored")]) rmSync(path, { recursive: true });
}

for (const tool of [COMEBACK, RESTIC_018]) {
  test(`every file of a repository by ${tool.name} is repaired, seed ${SEED}`, async (t) => {
    const whole = await repositoryBy(tool);
    const intact = await open(whole);
    const expected = await contentsOf(intact);
    assert.equal(expected.snapshots.size, 3);
    const files = expected.snapshots.values().reduce((sum, one) => sum + one.files.size, 0);
    await intact[Symbol.asyncDispose]();
    let cases = 0;
    const counts = { saved: 0, lost: 0 };
    for (const type of ["snapshot", "index", "pack"] as const) {
      for (const file of filesOf(whole, type)) {
        for (const damage of Object.keys(DAMAGES)) {
          await t.test(`${type} ${file.name.slice(0, 8)} ${damage}`, async () => {
            const copy = await damagedCopy(whole, file, damage);
            const first = await checkAll(copy);
            assertNamed(first, file, damage);
            await using repository = await open(copy);
            const roots = await repairAll(repository, first);
            assert.deepEqual((await checkAll(copy)).problems, []);
            // Only what was in a pack can be lost.
            const lost = type === "pack" ? first.affected : [];
            const { saved } = assertSaved(expected, await contentsOf(repository, roots), lost);
            counts.saved += saved;
            counts.lost += files - saved;
            if (tool === COMEBACK || cases % 3 === 0) await assertResticAgrees(copy);
            cases++;
          });
        }
      }
    }
    assert.ok(cases >= 36, `${cases} cases`);
    t.diagnostic(`of the files in ${cases} cases, ${counts.saved} were saved, ${counts.lost} lost`);
    assert.ok(counts.lost > 0 && counts.saved > 4 * counts.lost);
  });
}

test("without config or key nothing is repaired, and nothing is changed", async () => {
  const whole = await repositoryBy(COMEBACK);
  for (const type of ["config", "key"] as const) {
    for (const damage of Object.keys(DAMAGES)) {
      const copy = await damagedCopy(whole, filesOf(whole, type)[0]!, damage);
      const before = copy.contents();
      const isGone = type === "config" && damage === "removed";
      await assert.rejects(open(copy), (error) =>
        isComebackError(error, isGone ? "repository.none" : "repository.damaged"),
      );
      assert.deepEqual(copy.contents(), before);
    }
  }
});

test("all files of one kind at once, and one of each kind, are repaired", async () => {
  const whole = await repositoryBy(COMEBACK);
  for (const damage of Object.keys(DAMAGES)) {
    let everyIndex = whole;
    for (const file of filesOf(whole, "index")) {
      everyIndex = await damagedCopy(everyIndex, file, damage);
    }
    let oneOfEach = whole;
    for (const type of ["snapshot", "index", "pack"] as const) {
      oneOfEach = await damagedCopy(oneOfEach, filesOf(whole, type)[0]!, damage);
    }
    for (const copy of [everyIndex, oneOfEach]) {
      await using repository = await open(copy);
      await repairAll(repository, await checkAll(copy));
      assert.deepEqual((await checkAll(copy)).problems, [], damage);
      assert.ok((await listSnapshots(repository)).length > 0);
    }
  }
});

test("files that are there twice under other names do no harm", async () => {
  const whole = await repositoryBy(COMEBACK);
  for (const type of ["snapshot", "index", "pack"] as const) {
    const [file] = filesOf(whole, type);
    const copy = whole.clone();
    await copy.save({ type, name: "5".repeat(64) }, await whole.load(file!));
    await using repository = await open(copy);
    await repairAll(repository, await checkAll(copy));
    const { problems } = await checkAll(copy);
    assert.deepEqual(problems, [], type);
    const names = (await listSnapshots(repository)).map(({ id }) => id);
    assert.ok(filesOf(whole, "snapshot").every(({ name }) => names.includes(name)));
  }
});
