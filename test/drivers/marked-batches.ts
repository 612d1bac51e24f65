import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { localBackendFactory } from "@comeback/backend-local";
import { byteStringFromText } from "@comeback/core";
import {
  backup,
  executePrune,
  instantOfMilliseconds,
  planPrune,
  Repository,
} from "@comeback/engine";
import { systemRandom } from "@comeback/platform";
import { createFilesSource } from "@comeback/source-files";
import { SimulatedClock } from "@comeback/testkit";
import { PASSWORD } from "./client.ts";
import { storedFiles } from "./repository-files.ts";
import { makeFolder } from "./scratch.ts";

/**
 * Packs that a prune marked hours ago, to be put into a repository while others are at work there:
 * to these it is as if they had been there when they began. What is marked while a backup runs, no
 * prune deletes before its end; what was marked long before it began, one has to.
 */
export class MarkedBatch {
  /** Paths below the repository's folder. */
  readonly packs: readonly string[];
  readonly #index: readonly string[];
  readonly #aside: string;

  private constructor(aside: string, packs: readonly string[], index: readonly string[]) {
    this.#aside = aside;
    this.packs = packs;
    this.#index = index;
  }

  /** Makes one in an empty repository, which is empty again afterwards. */
  static async make(wish: {
    readonly repository: string;
    /** Where its files wait. */
    readonly aside: string;
    readonly contents: readonly Uint8Array[];
    readonly markedMs: number;
  }): Promise<MarkedBatch> {
    const { repository: folder, aside, contents, markedMs } = wish;
    const source = makeFolder(aside, "source");
    for (const [i, bytes] of contents.entries()) writeFileSync(join(source, `${i}`), bytes);
    await using repository = await Repository.open({
      backend: await localBackendFactory.open(folder),
      password: PASSWORD,
      clock: new SimulatedClock(markedMs),
      random: systemRandom,
    });
    await repository.loadIndex();
    await backup({
      repository,
      source: createFilesSource({ targets: [byteStringFromText(source)] }),
      time: instantOfMilliseconds(markedMs),
      hostname: "long-gone",
      programVersion: "test",
    });
    for (const path of storedFiles(folder, "snapshots")) rmSync(join(folder, path));
    await executePrune(await planPrune({ repository, workers: 1 }));
    const [packs, index] = [storedFiles(folder, "data"), storedFiles(folder, "index")];
    for (const path of [...packs, ...index]) move(join(folder, path), join(aside, path));
    return new MarkedBatch(aside, packs, index);
  }

  /** Packs first, as always. */
  putInto(folder: string): void {
    for (const path of [...this.packs, ...this.#index]) {
      move(join(this.#aside, path), join(folder, path));
    }
  }
}

function move(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}
