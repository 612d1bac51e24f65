import { join } from "node:path";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** A repository in a folder, with something to back up, and a place for its copy. */
export interface ReplicatePlace {
  readonly folder: string;
  readonly random: SeededRandom;
  readonly corpus: Corpus;
  readonly ours: Client;
  /** The folder of the copy, and clients of it. */
  readonly copy: string;
  readonly oursOnCopy: Client;
  readonly resticOnCopy: Client;
}

export async function replicatePlace(name: string, seed: number): Promise<ReplicatePlace> {
  const folder = memoryFolder(`replicate-${name}`);
  const random = new SeededRandom(seed);
  const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 120, large: 5 });
  const repository = join(folder, "repository");
  await makeQuickRepository(repository);
  const ours = new Client(COMEBACK, repository);
  await ours.backup([corpus.folder]);
  const copy = join(folder, "far", "away");
  return {
    folder,
    random,
    corpus,
    ours,
    copy,
    oursOnCopy: new Client(COMEBACK, copy),
    resticOnCopy: new Client(RESTIC_018, copy),
  };
}
