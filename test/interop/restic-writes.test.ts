import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { copyNew } from "../drivers/quick-repository.ts";
import { neverSaved } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** What the real restic writes, in every form it has, we check and restore. */
const folder = scratchFolder("restic-writes");

interface Variant {
  readonly tool: Tool;
  readonly seed: number;
  readonly init: readonly string[];
  readonly backup: readonly string[];
}

const V1 = ["--repository-version", "1"];
const V2 = ["--repository-version", "2"];

const VARIANTS: readonly Variant[] = [
  { tool: RESTIC_018, seed: 201, init: V1, backup: [] },
  { tool: RESTIC_018, seed: 202, init: V2, backup: ["--compression", "auto"] },
  { tool: RESTIC_018, seed: 203, init: V2, backup: ["--compression", "off"] },
  { tool: RESTIC_018, seed: 204, init: V2, backup: ["--compression", "max", "--pack-size", "4"] },
  { tool: RESTIC_014, seed: 205, init: V1, backup: [] },
  { tool: RESTIC_014, seed: 206, init: V2, backup: [] },
];

for (const { tool, seed, init, backup } of VARIANTS) {
  test(`${[tool.name, ...init, ...backup].join(" ")}, seed ${seed}`, async () => {
    const place = makeFolder(folder, `seed-${seed}`);
    const source = join(place, "source");
    randomTree(source, seed, { entries: 300, largeFiles: seed % 2 === 0 });
    const theirs = new Client(tool, join(place, "repository"));
    await copyNew(theirs, init);
    await theirs.backup([source], { args: backup });
    const ours = new Client(COMEBACK, theirs.repository);
    await ours.check();
    const target = join(place, "restored");
    await ours.restore("latest", target);
    assertSameTree(source, join(target, source), { excuses: neverSaved(tool) });
    // The same by a path in the snapshot, checked by reading it all once more.
    const again = join(place, "restored again");
    await ours.restore(`latest:${source}`, again, ["--verify"]);
    assertSameTree(source, again, { excuses: neverSaved(tool), tops: false });
  });
}

test("several keys: each of their passwords opens the repository", async () => {
  const theirs = new Client(RESTIC_018, join(folder, "keys"));
  await theirs.done(["init"]);
  const source = join(folder, "keys-source");
  randomTree(source, 207, { entries: 20 });
  await theirs.backup([source]);
  const passwords = ["second", "drittes Paßwort", "mit \\ und ' und \u{1f511}"];
  for (const [i, password] of passwords.entries()) {
    const file = join(folder, `password-${i}`);
    writeFileSync(file, password);
    await theirs.done(["key", "add", "--new-password-file", file]);
  }
  for (const password of passwords) {
    await new Client(COMEBACK, theirs.repository, password).check();
  }
});
