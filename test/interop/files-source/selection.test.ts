import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { byteStringFromText } from "@comeback/core";
import type { FilesSourceOptions } from "@comeback/source-files";
import { SeededRandom } from "@comeback/testkit";
import { makeFolder, memoryFolder } from "../../drivers/scratch.ts";
import { SameBackup } from "./same-backup.ts";

/**
 * What a backup contains, against the real restic: same targets, same options, and the trees have
 * to be the same to the last byte, which covers places, names, selection and metadata at once.
 */
const base = memoryFolder("selection");
const compare = await SameBackup.create(join(base, "repository"));

const NAMES = ["a", "b", "ab", "B", "x.o", "x.c", "y.O", "cache", "ä", "[a]", "deep", "*"];

function growTree(folder: string, random: SeededRandom, depth: number): void {
  mkdirSync(folder);
  for (const name of NAMES) {
    const path = join(folder, name);
    if (random.chance(depth < 4 ? 18 : 0)) growTree(path, random, depth + 1);
    else if (random.chance(40)) writeFileSync(path, "z".repeat(random.integer(0, 40)));
    else if (random.chance(15)) symlinkSync(random.pick(["a", "../b", "nowhere"]), path);
  }
  if (random.chance(10))
    writeFileSync(join(folder, ".skip"), random.pick(["", "yes", "yes!", "no"]));
  const signature = "Signature: 8a477f597d28d172789f06886806bc55";
  const tag = random.pick([signature, `${signature}\n# x`, "Signature: no", ""]);
  if (random.chance(10)) writeFileSync(join(folder, "CACHEDIR.TAG"), tag);
}

const PARTS = [
  ...NAMES,
  "*",
  "**",
  "**",
  "?",
  "*.o",
  "*.?",
  "[ab]",
  "[^a]",
  "a*",
  "*b",
  "x.[a-o]",
  "\\*",
];

function randomPattern(random: SeededRandom, folder: string): string {
  const parts = Array.from({ length: random.integer(1, 4) }, () => random.pick(PARTS));
  const start = random.pick(["", "", "", "/**/", `${folder}/`, `${folder}/a/`, "/"]);
  return `${random.chance(15) ? "!" : ""}${start}${parts.join("/")}${random.chance(5) ? "/" : ""}`;
}

function randomOptions(random: SeededRandom, folder: string): FilesSourceOptions {
  const patterns = (most: number): string[] =>
    Array.from({ length: random.integer(0, most) }, () =>
      byteStringFromText(randomPattern(random, folder)),
    );
  const target = (): string => {
    const parts = Array.from({ length: random.integer(0, 3) }, () => random.pick(NAMES));
    const start = random.pick([folder, ".", "..", "a", "./b", "../tree", `${folder}/deep`]);
    return byteStringFromText([start, ...parts].join("/"));
  };
  return {
    targets: [
      byteStringFromText(random.pick([folder, ".", ".."])),
      ...Array.from({ length: random.integer(0, 3) }, target),
    ],
    exclude: patterns(4),
    iexclude: patterns(2),
    ...(random.chance(30)
      ? { excludeIfPresent: [random.pick([".skip", ".skip:yes", "a", "a:zzz"])] }
      : {}),
    ...(random.chance(30) ? { excludeCaches: true } : {}),
    ...(random.chance(30) ? { excludeLargerThanBytes: random.integer(0, 40) } : {}),
  };
}

test("40 random trees with random targets and rules", async () => {
  let entries = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    // The repository must be out of reach of "../..".
    const above = makeFolder(base, `case-${seed}`, "above");
    const tree = join(above, "tree");
    growTree(tree, random, 0);
    const options = randomOptions(random, tree);
    const cwd = random.pick([tree, tree, above]);
    entries += (await compare.backUp(cwd, options, `seed ${seed}: ${JSON.stringify(options)}`))
      .length;
    rmSync(join(base, `case-${seed}`), { recursive: true });
  }
  assert.ok(entries > 1000, `the cases are worth something: ${entries} entries`);
});
