import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { SeededRandom, startS3StandIn } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Corpus } from "../drivers/corpus.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { environmentOf, S3Client } from "./s3-clients.ts";

/** The cold part in an object store's archive class, the hot one in a folder. */
const folder = scratchFolder("hot-and-cold");
const clock = { nowMs: Date.now() };
const store = await startS3StandIn({ nowMs: () => clock.nowMs });
after(() => store[Symbol.asyncDispose]());

test("what is archived is needed for file contents alone", async () => {
  const source = makeFolder(folder, "source");
  const corpus = new Corpus(source, new SeededRandom(511), { small: 30, large: 4 });
  const hot = join(folder, "hot");
  const env = {
    ...environmentOf({ accessKey: "key", secretKey: "secret" }),
    COMEBACK_REPO_HOT: hot,
  };
  const options = ["s3.storage-class-data=GLACIER"];
  const ours = new S3Client(COMEBACK, `s3:${store.endpoint}/cold/pair`, env, options);
  await ours.done(["init"]);
  await ours.backup([source]);
  corpus.change(30);
  const { snapshot_id: latest } = await ours.backup([source]);
  assert.equal(storedFiles(hot, "snapshots").length, 2);
  await ours.done(["ls", latest]);
  await ours.done(["check"]);
  const early = await ours.run(["restore", latest, "--target", join(folder, "early")]);
  assertError(early, { exitCode: 1, code: "backend.archived", says: /comeback thaw/ });
  await ours.done(["thaw", latest, "--tier", "Standard"]);
  clock.nowMs += 5 * 3_600_000;
  await ours.restore(latest, join(folder, "back"));
  assertSameTree(source, join(folder, "back", source));
});
