import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { executePrune, planPrune, type PruneOptions, RepositoryLock } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { systemClock, systemRandom } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { assertHolds, assertResticHolds, readSnapshots } from "../drivers/judge.ts";
import { killAtMoments } from "../drivers/kill-moments.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type MadeSnapshot, openFolder, writeHistory } from "../drivers/small-history.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** kill -9 of prunes: whatever is the last that one does, all that is in use is there and listed. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_261);
/** Marking, deleting what was marked, and everything at once. */
const WAYS = [
  { args: ["prune"], options: {}, kills: 16 },
  { args: ["prune", "--keep-delete", "0"], options: { keepDeleteMs: 0 }, kills: 17 },
  { args: ["prune", "--instant"], options: { mode: "instant" }, kills: 17 },
] as const;

const random = new SeededRandom(SEED);
const folder = memoryFolder("kill-prune");
const template = join(folder, "template");
const source = join(folder, "source");
const work = join(folder, "work");
const repository = join(work, "repository");
let made: readonly MadeSnapshot[] = [];
let expected: Awaited<ReturnType<typeof readSnapshots>>;

/** Packs in use, in use in part, not in use, and marked already: a prune has everything to do. */
before(async () => {
  const pristine = makeFolder(template, "repository");
  await makeQuickRepository(pristine);
  const copies = makeFolder(folder, "copies");
  const history = { repository: pristine, source, copies, random };
  const comeback = new Client(COMEBACK, pristine);
  await writeHistory({ ...history, snapshots: 3 });
  await comeback.done(["forget", "--keep-last", "1"]);
  await comeback.done(["prune", "--max-unused", "0"]);
  made = (await writeHistory({ ...history, snapshots: 4, firstDay: 3 })).slice(-2);
  await comeback.done(["forget", "--keep-last", "2"]);
  expected = await readSnapshots(pristine);
});

/** The same as the program does, in this process. */
async function prune(options: Partial<PruneOptions>): Promise<void> {
  using _ = runTasksInThisThread(systemRandom);
  await using opened = await openFolder(repository);
  const exclusive = options.mode === "instant";
  const activity = exclusive ? undefined : "prune";
  const wish = { exclusive, activity, clock: systemClock } as const;
  await using lock = await RepositoryLock.acquire(opened, wish);
  await lock.confirmed;
  const maxUnused = { kind: "size", sizeBytes: 0 } as const;
  await executePrune(await planPrune({ repository: opened, workers: 1, maxUnused, ...options }));
}

for (const { args, options, kills } of WAYS) {
  test(`${kills} kills of ${args.join(" ")}, seed ${SEED}`, async (t: TestContext) => {
    const prove = async (asksRestic: boolean): Promise<void> => {
      await assertHolds(repository, expected);
      if (!asksRestic) return;
      const restored = { ...random.pick(made), source, target: join(folder, "restored") };
      await assertResticHolds(repository, restored);
    };
    const counts = await killAtMoments({
      template,
      work,
      args: [...args, "-q", "--max-unused", "0"],
      random,
      kills,
      afterKill: (_progress, asksRestic) => prove(asksRestic),
      runAgain: () => prune(options),
      afterNext: () => prove(false),
    });
    t.diagnostic(JSON.stringify(counts));
    await prove(true);
  });
}
