import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "../drivers/client.ts";
import { MemoryDisk } from "../drivers/mounts.ts";
import type { Finished } from "../drivers/run-program.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { makeRcloneConfig } from "../services/rclone/rclone-config.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";
import { assertNothingLost, DENSE, makeCorpus } from "./far-place.ts";

const MiB = 1024 * 1024;
const folder = scratchFolder("faults-full-disk");

/** Backs up into a disk that is too small, which is told at once, and then makes room. */
async function fillAndGoOn(parts: {
  readonly place: string;
  readonly disk: MemoryDisk;
  readonly client: Client;
  readonly restic: Client;
  readonly seed: number;
}): Promise<Finished> {
  const { place, disk, client, restic, seed } = parts;
  await client.done(["init"]);
  const corpus = makeCorpus(place, seed);
  const full = await client.run(["backup", ...DENSE, corpus.folder]);
  // Not `assertError`: what rclone says, and is shown, has the word error in it as well.
  assert.equal(full.exitCode, 1, full.describe());
  assert.match(full.stderr, /^error: .* \[backend\.full\]/ms, full.describe());
  // There is no room for a lock either.
  await client.done(["check", "--read-data", "--no-lock", ...DENSE]);

  disk.resize(128 * MiB);
  const resticChecks = (): Promise<unknown> => restic.check();
  await assertNothingLost({ client, folder: place, corpus, resticChecks });
  return full;
}

test("the disk of a REST server fills", async () => {
  const place = makeFolder(folder, "rest");
  const disk = new MemoryDisk(join(place, "disk"), 6 * MiB);
  await using server = await startRestServer({ data: makeFolder(disk.folder, "data") });
  const location = `${server.url}/laptop/`;
  const [client, restic] = [new Client(COMEBACK, location), new Client(RESTIC_018, location)];
  const full = await fillAndGoOn({ place, disk, client, restic, seed: 841 });
  assert.doesNotMatch(full.stderr, /trying again/, full.describe());
});

test("the disk behind rclone fills", async () => {
  const place = makeFolder(folder, "rclone");
  const disk = new MemoryDisk(join(place, "disk"), 6 * MiB);
  const { env } = makeRcloneConfig(place);
  const client = new RcloneClient(COMEBACK, "rclone:whole:laptop", env);
  const restic = new Client(RESTIC_018, join(disk.folder, "laptop"));
  // rclone may say why only after its answer: then it is known at the second attempt.
  await fillAndGoOn({ place, disk, client, restic, seed: 842 });
});

/** With remotes of a test's own. */
class RcloneClient extends Client {
  readonly #env: Readonly<Record<string, string>>;

  constructor(tool: typeof COMEBACK, repository: string, env: Readonly<Record<string, string>>) {
    super(tool, repository);
    this.#env = env;
  }

  override get environment(): Record<string, string | undefined> {
    return { ...super.environment, ...this.#env };
  }
}
