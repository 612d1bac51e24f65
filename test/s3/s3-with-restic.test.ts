import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { Corpus } from "../drivers/corpus.ts";
import { beyondRestic } from "../drivers/restic-limits.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { RESTIC_018 } from "../drivers/tools.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import { bothClients, environmentOf } from "./s3-clients.ts";

/** One repository in a real object store, used by both programs. */
const folder = scratchFolder("s3-with-restic");
const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());
const env = environmentOf(ceph.user);
const excuses = beyondRestic(RESTIC_018);

test("what we write, restic checks and restores, and so do we", async () => {
  const place = makeFolder(folder, "ours");
  const source = join(place, "source");
  randomTree(source, 301, { entries: 300, largeFiles: true });
  const { ours, restic } = bothClients(`s3:${ceph.endpoint}/ours/some/prefix`, env);
  await ours.done(["init"]);
  await ours.backup([source]);
  await restic.check();
  await restic.restore("latest", join(place, "by restic"));
  assertSameTree(source, join(place, "by restic", source), { excuses });
  await ours.check();
  await ours.restore("latest", join(place, "by us"));
  assertSameTree(source, join(place, "by us", source));
});

test("what restic writes, we check and restore", async () => {
  const place = makeFolder(folder, "theirs");
  const source = join(place, "source");
  randomTree(source, 302, { entries: 300, largeFiles: true });
  // At the top of a bucket, which restic makes.
  const { ours, restic } = bothClients(`s3:${ceph.endpoint}/theirs`, env);
  await restic.done(["init"]);
  await restic.backup([source]);
  await ours.check();
  await ours.restore("latest", join(place, "by us"));
  assertSameTree(source, join(place, "by us", source), { excuses });
});

test("backups by both in turn, forget, prune, and nothing is lost", async () => {
  const place = makeFolder(folder, "in turn");
  const source = join(place, "source");
  const corpus = new Corpus(source, new SeededRandom(303), { small: 200, large: 4 });
  const { ours, restic } = bothClients(`s3:${ceph.endpoint}/in-turn/a`, env);
  await ours.done(["init"]);
  for (const client of [ours, restic, ours, restic]) {
    await client.backup([source]);
    corpus.change(30);
  }
  await ours.backup([source]);
  const keep = ["--keep-last", "2", "--group-by", ""];
  await ours.done(["forget", ...keep, "--prune", "--keep-delete", "0s"]);
  await ours.done(["prune", "--keep-delete", "0s"]);
  assert.equal((await ours.snapshots()).length, 2);
  assert.equal((await restic.snapshots()).length, 2);
  await restic.check();
  await ours.check();
  await restic.restore("latest", join(place, "by restic"));
  assertSameTree(source, join(place, "by restic", source), { excuses });
});
