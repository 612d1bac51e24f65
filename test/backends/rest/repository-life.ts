import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomTree } from "@comeback/testkit";
import { Client } from "../../drivers/client.ts";
import { quickenKey } from "../../drivers/quick-repository.ts";
import { beyondRestic } from "../../drivers/restic-limits.ts";
import { assertSameTree } from "../../drivers/same-tree.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../../drivers/tools.ts";

/** Where a repository is, as all tools write it. */
export interface RepositoryPlace {
  readonly location: string;
  /** The same for restic 0.14, which does not know all forms. */
  readonly locationFor014?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder in which the server keeps it, where its files are there as they are. */
  readonly folder?: string;
}

/**
 * A repository's whole life at a place, by us and by restic in turn: what one has written, all
 * others check and restore; what is forgotten and pruned by either leaves the rest whole.
 */
export async function liveThrough(
  scratch: string,
  place: RepositoryPlace,
  seed: number,
): Promise<void> {
  const ours = new Client(COMEBACK, place.location);
  const new18 = new Client(RESTIC_018, place.location);
  const old14 = new Client(RESTIC_014, place.locationFor014 ?? place.location);
  const options = place.env === undefined ? {} : { env: place.env };
  const [first, second] = [join(scratch, "first"), join(scratch, "second")];
  randomTree(first, seed, { entries: 120, largeFiles: true });
  randomTree(second, seed + 1, { entries: 60 });

  await ours.done(["init"], options);
  if (place.folder !== undefined) await quickenKey(place.folder);
  await ours.backup(["."], { ...options, cwd: first });
  await ours.done(["check", "--read-data"], options);
  await new18.done(["check", "--read-data"], options);
  await new18.backup(["."], { ...options, cwd: second });
  await old14.done(["check", "--read-data"], options);

  const snapshots = await ours.json<{ id: string }[]>(["snapshots"], options);
  assert.equal(snapshots.length, 2);
  const [ofFirst, ofSecond] = snapshots.map(({ id }) => id) as [string, string];
  for (const client of [ours, new18, old14]) {
    const target = makeFolder(scratch, `back-${client.tool.name.replace(" ", "-")}`);
    await client.restore(ofFirst, join(target, "first"), [], options);
    await client.restore(ofSecond, join(target, "second"), [], options);
    const excuses =
      client === ours ? { tops: false } : { tops: false, excuses: beyondRestic(client.tool) };
    assertSameTree(first, join(target, "first"), excuses);
    assertSameTree(second, join(target, "second"), excuses);
    rmSync(target, { recursive: true });
  }

  writeFileSync(join(first, "one more"), "and its content");
  await ours.backup(["."], { ...options, cwd: first });
  await ours.done(["forget", ofFirst, "--prune"], options);
  await new18.done(["check", "--read-data"], options);
  await new18.done(["forget", ofSecond, "--prune"], options);
  await ours.done(["check", "--read-data"], options);
  await ours.restore("latest", join(scratch, "last"), [], options);
  assertSameTree(first, join(scratch, "last"), { tops: false });
  assert.equal((await ours.json<unknown[]>(["snapshots"], options)).length, 1);
  const { stdout } = await ours.done(["list", "locks", "--no-lock"], options);
  assert.equal(stdout.toString("utf8").trim(), "");
}
