import { join } from "node:path";
import { test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { beyondRestic } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTICS } from "../drivers/tools.ts";

/** What we write, the real restic checks and restores: every byte and attribute. */
const folder = scratchFolder("we-write");

const VARIANTS = [
  { seed: 101, entries: 300, largeFiles: true, init: [], backup: [] },
  { seed: 102, entries: 600, largeFiles: false, init: [], backup: ["--compression", "off"] },
  { seed: 103, entries: 300, largeFiles: false, init: [], backup: ["--compression", "max"] },
  {
    seed: 104,
    entries: 300,
    largeFiles: true,
    init: ["--repository-version", "1"],
    backup: ["--pack-size", "4"],
  },
] as const;

for (const { seed, entries, largeFiles, init, backup } of VARIANTS) {
  const title = [...init, ...backup].join(" ");
  test(`a random tree, seed ${seed} ${title}`, async () => {
    const place = makeFolder(folder, `seed-${seed}`);
    const source = join(place, "source");
    randomTree(source, seed, { entries, largeFiles });
    const ours = new Client(COMEBACK, join(place, "repository"));
    await initQuickly(ours, init);
    await ours.backup([source], { args: backup });
    for (const tool of RESTICS) {
      const theirs = new Client(tool, ours.repository);
      await theirs.check();
      const target = join(place, `restored by ${tool.name}`);
      await theirs.restore("latest", target);
      assertSameTree(source, join(target, source), { excuses: beyondRestic(tool) });
    }
  });
}

test("a relative target puts its entries at the top, as restic does", async () => {
  const place = makeFolder(folder, "relative");
  const source = join(place, "source");
  randomTree(source, 105, { entries: 100 });
  const ours = new Client(COMEBACK, join(place, "repository"));
  await initQuickly(ours);
  await ours.backup(["."], { cwd: source });
  for (const tool of RESTICS) {
    const target = join(place, tool.name);
    await new Client(tool, ours.repository).restore("latest", target);
    assertSameTree(source, target, { excuses: beyondRestic(tool), tops: false });
  }
});
