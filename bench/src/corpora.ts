import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

export type CorpusName = "kernel" | "large" | "million";

export interface Corpus {
  readonly name: CorpusName;
  readonly path: string;
  readonly description: string;
}

const MiB = 1024 * 1024;
const KERNEL_ARCHIVE = "/usr/src/linux-source-6.1.tar.xz";

/** The corpus as a folder below `workDir`, made on first use. */
export function prepareCorpus(name: CorpusName, workDir: string): Corpus {
  const path = join(workDir, "corpora", name);
  const make = { kernel: makeKernel, large: makeLarge, million: makeMillion }[name];
  if (!existsSync(path)) {
    const unfinished = `${path}.unfinished`;
    execFileSync("rm", ["-rf", unfinished]);
    mkdirSync(unfinished, { recursive: true });
    make(unfinished);
    renameSync(unfinished, path);
  }
  const description = {
    kernel: "kernel tree of linux-source-6.1",
    large: "1 GiB of programs and libraries and 0.3 GiB random, two files",
    million: "one million files of 1 KB in 1,000 folders",
  }[name];
  return { name, path, description };
}

function makeKernel(folder: string): void {
  if (!existsSync(KERNEL_ARCHIVE)) {
    throw new Error(`${KERNEL_ARCHIVE} is missing: apt-get install linux-source-6.1`);
  }
  execFileSync("tar", ["-xJf", KERNEL_ARCHIVE, "-C", folder]);
}

/** Programs and libraries of this machine, one behind the other, and incompressible bytes. */
function makeLarge(folder: string): void {
  const programs = openSync(join(folder, "programs.bin"), "w");
  let left = 1024 * MiB;
  for (const directory of ["/usr/bin", "/usr/lib", "/usr/libexec", "/usr/sbin"]) {
    if (left === 0 || !existsSync(directory)) continue;
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (left === 0) break;
      if (!entry.isFile()) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name)).subarray(0, left);
      writeSync(programs, bytes);
      left -= bytes.length;
    }
  }
  closeSync(programs);
  if (left > 0)
    throw new Error(`this machine has ${left} bytes too few of programs for the corpus`);
  const random = openSync(join(folder, "random.bin"), "w");
  for (let i = 0; i < 300; i++) writeSync(random, pseudoRandom(`large ${i}`, MiB));
  closeSync(random);
}

function makeMillion(folder: string): void {
  for (let d = 0; d < 1000; d++) {
    const directory = join(folder, `d${String(d).padStart(4, "0")}`);
    mkdirSync(directory);
    const bytes = pseudoRandom(`million ${d}`, 1000 * 1000);
    for (let f = 0; f < 1000; f++) {
      const name = `f${String(f).padStart(4, "0")}`;
      writeFileSync(join(directory, name), bytes.subarray(f * 1000, f * 1000 + 1000));
    }
  }
}

function pseudoRandom(seed: string, length: number): Uint8Array {
  return createHash("shake256", { outputLength: length }).update(seed).digest();
}
