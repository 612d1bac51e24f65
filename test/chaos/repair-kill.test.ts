import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { isComebackError } from "@comeback/core";
import {
  listSnapshots,
  planIndexRepair,
  planSnapshotRepair,
  readFile,
  repairIndex,
  repairSnapshots,
  type Repository,
  RepositoryLock,
  walkSnapshot,
} from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { systemClock, systemRandom } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { DAMAGES } from "../drivers/damage.ts";
import { assertHolds, assertResticHolds, problemsIn, readSnapshots } from "../drivers/judge.ts";
import { type KillPlan, killAtMoments } from "../drivers/kill-moments.ts";
import { copyWithLinks } from "../drivers/linked-copy.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { openFolder, writeHistory } from "../drivers/small-history.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** kill -9 of repairs: what could be read before can be read after, and the next repair is done. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_264);
const KILLS = 50;

const random = new SeededRandom(SEED);
const folder = memoryFolder("repair-kill");
const whole = join(folder, "whole");
const work = join(folder, "work");
const repository = join(work, "repository");
let expected: Awaited<ReturnType<typeof readSnapshots>>;

before(async () => {
  const pristine = makeFolder(whole, "repository");
  await makeQuickRepository(pristine);
  const [source, copies] = [join(folder, "source"), makeFolder(folder, "copies")];
  await writeHistory({ repository: pristine, source, copies, random, snapshots: 3 });
  makeFolder(whole, "kept");
  expected = await readSnapshots(pristine);
});

/** A repository that is damaged, made from the whole one. */
function damagedCopy(name: string): string {
  const template = join(folder, name);
  copyWithLinks(whole, template);
  return join(template, "repository");
}

type Readable = ReadonlyMap<string, ReadonlySet<string>>;

/** Every file that can be read, with its hash, by the id that its snapshot had first. */
async function readableFiles(of: string): Promise<Readable> {
  await using opened = await openFolder(of);
  await opened.loadIndex({ includeMarked: true });
  const readable = new Map<string, Set<string>>();
  for (const { id, original = id, tree } of await listSnapshots(opened)) {
    const files = readable.getOrInsertComputed(original, () => new Set());
    for await (const { path, node } of walkSnapshot(opened, tree)) {
      if (node.type !== "file") continue;
      const hash = createHash("sha256");
      try {
        for await (const bytes of readFile(opened, node)) hash.update(bytes);
        files.add(`${path} ${hash.digest("hex")}`);
      } catch (error) {
        assert.ok(isComebackError(error, "repository.damaged"), String(error));
      }
    }
  }
  return readable;
}

/** Nothing that could be read before is lost. */
async function assertReadable(before: Readable): Promise<void> {
  const now = await readableFiles(repository);
  for (const [original, files] of before) {
    assert.deepEqual(files.difference(now.get(original) ?? new Set()), new Set(), original);
  }
}

/** A pack of data of the first file of each snapshot: all of the files that share it are hit. */
async function somePacks(of: string): Promise<string[]> {
  await using opened = await openFolder(of);
  await opened.loadIndex();
  const packs = new Set<string>();
  for (const { tree } of await listSnapshots(opened)) {
    for await (const { node } of walkSnapshot(opened, tree)) {
      const [id] = node.content ?? [];
      if (node.type !== "file" || id === undefined) continue;
      packs.add(opened.index.find("data", id)[0]?.packId ?? "");
      break;
    }
  }
  return [...packs];
}

function pathOfPack(of: string, id: string): string {
  return join(of, "data", id.slice(0, 2), id);
}

async function proveClean(asksRestic: boolean): Promise<void> {
  assert.deepEqual(await problemsIn(repository), []);
  if (asksRestic) await assertResticHolds(repository);
}

/** A repair as the program does it, in this process. */
async function repairAgain(
  exclusive: boolean,
  repair: (opened: Repository) => Promise<unknown>,
): Promise<void> {
  using _ = runTasksInThisThread(systemRandom);
  await using opened = await openFolder(repository);
  await using lock = await RepositoryLock.acquire(opened, { exclusive, clock: systemClock });
  await lock.confirmed;
  await repair(opened);
}

async function kill(t: TestContext, plan: Omit<KillPlan, "work" | "random">): Promise<void> {
  t.diagnostic(JSON.stringify(await killAtMoments({ ...plan, work, random })));
}

for (const [name, readAllPacks, kills] of [
  ["index", false, KILLS / 2],
  ["index, all packs read", true, KILLS / 2],
] as const) {
  test(`${kills} kills of repair ${name}, seed ${SEED}`, async (t: TestContext) => {
    const damaged = damagedCopy(name);
    const packs = storedFiles(damaged, "data");
    assert.ok(packs.length > 10, `${packs.length} packs`);
    const [first, second] = storedFiles(damaged, "index");
    DAMAGES["removed"](join(damaged, first!));
    DAMAGES["one bit flipped"](join(damaged, second!));
    const before = (await problemsIn(damaged)).length;
    assert.ok(before > 0);
    await kill(t, {
      template: join(folder, name),
      args: ["repair", "index", "-q", ...(readAllPacks ? ["--read-all-packs"] : [])],
      kills,
      runAgain: () =>
        repairAgain(true, async (opened) => {
          const plan = await planIndexRepair({ repository: opened, readAllPacks });
          await repairIndex({ repository: opened, plan });
        }),
      async afterKill(progress) {
        const after = (await problemsIn(repository)).length;
        assert.ok(progress === "after" ? after === 0 : after <= before, `${after} problems`);
        assert.deepEqual(storedFiles(repository, "data"), packs);
      },
      async afterNext(asksRestic) {
        await assertHolds(repository, expected);
        if (asksRestic) await assertResticHolds(repository);
      },
    });
  });
}

test(`${KILLS} kills of repair packs, seed ${SEED}`, async (t: TestContext) => {
  const damaged = damagedCopy("packs");
  const ids = await somePacks(damaged);
  assert.ok(ids.length > 1);
  for (const id of ids) DAMAGES["one bit flipped"](pathOfPack(damaged, id));
  const before = await readableFiles(damaged);
  const kept = join(work, "kept");
  await kill(t, {
    template: join(folder, "packs"),
    args: ["repair", "packs", "-q", ...ids],
    cwd: kept,
    kills: KILLS,
    async afterKill() {
      await assertReadable(before);
      for (const id of ids) {
        const [there, copy] = [pathOfPack(repository, id), join(kept, `pack-${id}`)];
        const bytes = readFileSync(existsSync(there) ? there : copy);
        assert.ok(bytes.equals(readFileSync(pathOfPack(damaged, id))), `pack ${id} is kept`);
      }
    },
    isDone: (progress) => progress === "after",
    async afterNext(asksRestic) {
      await assertReadable(before);
      // What is lost for good is for `repair snapshots`; beyond that nothing is wrong.
      const problems = await problemsIn(repository);
      assert.deepEqual(new Set(problems.map(({ kind }) => kind)), new Set(["blob-missing"]));
      if (!asksRestic) return;
      await new Client(COMEBACK, repository).done(["repair", "snapshots", "--forget", "-q"]);
      await proveClean(true);
      await assertReadable(before);
    },
  });
});

test(`${KILLS} kills of repair snapshots, seed ${SEED}`, async (t: TestContext) => {
  const damaged = damagedCopy("snapshots");
  for (const id of await somePacks(damaged)) DAMAGES["removed"](pathOfPack(damaged, id));
  await new Client(COMEBACK, damaged).done(["repair", "index", "-q"]);
  const before = await readableFiles(damaged);
  assert.ok((await problemsIn(damaged)).length > 0);
  await kill(t, {
    template: join(folder, "snapshots"),
    args: ["repair", "snapshots", "--forget", "-q"],
    kills: KILLS,
    runAgain: () =>
      repairAgain(false, async (opened) => {
        const plan = await planSnapshotRepair({ repository: opened, forget: true });
        await repairSnapshots({ repository: opened, plan });
      }),
    async afterKill(progress) {
      await assertReadable(before);
      if (progress === "after") await proveClean(false);
    },
    async afterNext(asksRestic) {
      await assertReadable(before);
      // One that was mended when its run died may be there twice by now.
      const snapshots = storedFiles(repository, "snapshots").length;
      assert.ok(snapshots === before.size || snapshots === before.size + 1, `${snapshots}`);
      await proveClean(asksRestic);
    },
  });
});
