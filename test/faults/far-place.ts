import assert from "node:assert/strict";
import { join } from "node:path";
import { SeededRandom } from "@comeback/testkit";
import type { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import type { Finished } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder } from "../drivers/scratch.ts";

/** Small packs, so that there are many requests; and no cache, so that all comes from far away. */
export const DENSE = ["--pack-size", "4", "--no-cache"] as const;

/** A repository far away, and what is backed up into it. */
export interface FarRepository {
  /** Through whatever disturbs the way. */
  readonly client: Client;
  readonly folder: string;
  readonly corpus: Corpus;
}

export interface FarPlace extends FarRepository {
  /** restic checks the same repository. */
  resticChecks(): Promise<unknown>;
}

export function makeCorpus(folder: string, seed: number): Corpus {
  return new Corpus(makeFolder(folder, "source"), new SeededRandom(seed), { small: 60, large: 3 });
}

let restores = 0;

/** Restores the newest snapshot, and compares every byte. */
export async function assertComesBack({
  client,
  folder,
  corpus,
}: FarRepository): Promise<Finished> {
  const target = join(folder, `back-${restores++}`);
  const args = ["restore", `latest:${corpus.folder}`, "--target", target, ...DENSE];
  const finished = await client.done(args);
  assertSameTree(corpus.folder, target, { tops: false });
  return finished;
}

/** How many requests a round takes is not the same every time; a kind of fault needs its own. */
const ROUNDS_MAX = 6;

/**
 * Backups, checks and restores, all of which have to get through, until everything came that the
 * storm has.
 */
export async function liveThroughStorm(
  place: FarPlace,
  whatIsMissing: () => Iterable<string>,
): Promise<void> {
  const { client, corpus } = place;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (round > 0) corpus.change(20);
    await client.backup([corpus.folder], { args: DENSE });
    await client.done(["check", "--read-data", ...DENSE]);
    await assertComesBack(place);
    if ([...whatIsMissing()].length === 0) return;
  }
  assert.deepEqual([...whatIsMissing()], [], "never came");
}

/** What was stored before is whole, and the next backup goes on from there. */
export async function assertGoesOn(place: FarRepository): Promise<void> {
  const { client, corpus } = place;
  await client.done(["check", "--read-data", ...DENSE]);
  corpus.change(20);
  await client.backup([corpus.folder], { args: DENSE });
  await assertComesBack(place);
}

/** The weather is fine again: nothing is lost, no lock is left, and restic agrees. */
export async function assertNothingLost(place: FarPlace): Promise<void> {
  await assertGoesOn(place);
  await place.resticChecks();
  const { stdout } = await place.client.done(["list", "locks", "--no-lock"]);
  assert.equal(stdout.toString("utf8").trim(), "");
}
