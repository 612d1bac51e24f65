import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { MemoryDisk } from "../drivers/mounts.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { startRcloneServer, startRestServer } from "../services/rclone/rest-servers.ts";
import { assertNothingLost, DENSE, makeCorpus } from "./far-place.ts";

const MiB = 1024 * 1024;
const folder = scratchFolder("faults-full-disk");

for (const [seed, start] of [
  [841, startRestServer],
  [842, startRcloneServer],
] as const) {
  test(`the disk of a server fills: ${start.name}, seed ${seed}`, async () => {
    const place = makeFolder(folder, start.name);
    const disk = new MemoryDisk(join(place, "disk"), 6 * MiB);
    await using server = await start({ data: makeFolder(disk.folder, "data") });
    const location = `${server.url}/laptop/`;
    const client = new Client(COMEBACK, location);
    await client.done(["init"]);
    const corpus = makeCorpus(place, seed);
    const full = await client.run(["backup", ...DENSE, corpus.folder]);
    assertError(full, { exitCode: 1, code: "backend.full" });
    assert.doesNotMatch(full.stderr, /trying again/, full.describe());
    // There is no room for a lock either.
    await client.done(["check", "--read-data", "--no-lock", ...DENSE]);

    disk.resize(128 * MiB);
    const restic = new Client(RESTIC_018, location);
    const resticChecks = (): Promise<unknown> => restic.check();
    await assertNothingLost({ client, folder: place, corpus, resticChecks });
  });
}
