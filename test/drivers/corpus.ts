import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@comeback/testkit";

const MiB = 1024 * 1024;

/** A folder of small compressible files and larger random ones, that can change again and again. */
export class Corpus {
  readonly folder: string;
  readonly #random: SeededRandom;
  readonly #paths: string[] = [];

  constructor(
    folder: string,
    random: SeededRandom,
    counts: { readonly small: number; readonly large: number },
  ) {
    this.folder = folder;
    this.#random = random;
    for (let i = 0; i < counts.small + counts.large; i++) {
      const parent = join(folder, `folder-${i % 17}`);
      mkdirSync(parent, { recursive: true });
      this.#paths.push(join(parent, i < counts.small ? `small-${i}` : `large-${i}.bin`));
    }
    for (const path of this.#paths) this.#write(path);
  }

  /** Gives about this share of the files new content. */
  change(percent: number): void {
    for (const path of this.#paths) if (this.#random.chance(percent)) this.#write(path);
  }

  #write(path: string): void {
    const random = this.#random;
    if (path.endsWith(".bin")) {
      writeFileSync(path, random.bytes(random.integer(1 * MiB, 10 * MiB)));
      return;
    }
    const word = random.hex(8);
    writeFileSync(path, `${word} ${path}\n`.repeat(random.integer(0, 400)));
  }
}

/** The same, for a test that does not change it. */
export function makeCorpus(
  folder: string,
  seed: number,
  counts: { readonly small: number; readonly large: number },
): Corpus {
  return new Corpus(folder, new SeededRandom(seed), counts);
}
