import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { SeededRandom, startS3StandIn } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Corpus, makeCorpus } from "../drivers/corpus.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { environmentOf, S3Client } from "./s3-clients.ts";

/** Packs in an archive class, from backup to restore. The store's clock is the test's. */
const HOUR_MS = 3_600_000;
const folder = scratchFolder("thaw");
const clock = { nowMs: Date.now() };
const store = await startS3StandIn({ nowMs: () => clock.nowMs });
after(() => store[Symbol.asyncDispose]());
const env = environmentOf({ accessKey: "key", secretKey: "secret" });

interface ThawSummary {
  readonly packs_asked: number;
  readonly tier?: string;
  readonly groups: readonly { storage_class: string; state: string; packs: number }[];
  readonly tiers: readonly { name: string; wait_hours: number; estimated_dollars?: number }[];
}

function stateCounts({ groups }: ThawSummary): Record<string, number> {
  return Object.fromEntries(
    groups.map(({ storage_class, state, packs }) => [`${storage_class} ${state}`, packs]),
  );
}

test("a cold repository is listed at once, and restored after a thaw", async () => {
  const source = makeFolder(folder, "source");
  const corpus = new Corpus(source, new SeededRandom(501), { small: 30, large: 6 });
  const class_ = "s3.storage-class-data=DEEP_ARCHIVE";
  const ours = new S3Client(COMEBACK, `s3:${store.endpoint}/cold/a`, env, [class_]);
  await ours.done(["init"]);
  await ours.backup([source]);
  corpus.change(20);
  await ours.backup([source]);

  // Trees, index and snapshots are hot.
  assert.equal((await ours.snapshots()).length, 2);
  await ours.done(["ls", "latest"]);
  await ours.done(["check"]);

  const refused = await ours.run(["restore", "latest", "--target", join(folder, "early")]);
  assertError(refused, { exitCode: 1, code: "backend.archived", says: /comeback thaw/ });
  for (const command of [
    ["check", "--read-data"],
    ["dump", "latest", join(source, "folder-0")],
  ]) {
    const early = await ours.run(command);
    assertError(early, { exitCode: 1, code: "backend.archived", says: /comeback thaw/ });
  }

  const plan = await ours.json<ThawSummary>(["thaw", "latest", "--dry-run"]);
  const cold = stateCounts(plan)["DEEP_ARCHIVE archived"] ?? 0;
  assert.ok(cold >= 2, JSON.stringify(plan));
  assert.equal(plan.packs_asked, 0);
  assert.deepEqual(
    plan.tiers.map(({ name, wait_hours }) => [name, wait_hours]),
    [
      ["Bulk", 48],
      ["Standard", 12],
    ],
  );
  const text = await ours.done(["thaw", "latest", "--dry-run", "--tier", "standard"]);
  assert.match(text.stdout.toString(), /\* Standard +within 12 hours +(about|less than) [$]/);

  // One file needs less than the whole.
  const part = await ours.json<ThawSummary>([
    "thaw",
    `latest:${join(source, "folder-0", "small-0")}`,
    "--dry-run",
  ]);
  assert.equal(stateCounts(part)["DEEP_ARCHIVE archived"], 1);

  // Interrupted by a busy store: asked again, only the rest is asked for.
  store.stage({ status: 403, code: "AccessDenied", method: "POST" });
  const stopped = await ours.run(["thaw", "latest", "--tier", "Standard"]);
  assertError(stopped, { exitCode: 1, code: "backend.permission", says: /s3:RestoreObject/ });
  const asked = await ours.json<ThawSummary>(["thaw", "latest", "--tier", "Standard"]);
  assert.ok(asked.packs_asked >= 1 && asked.packs_asked <= cold);
  const again = await ours.json<ThawSummary>(["thaw", "latest", "--tier", "Standard"]);
  assert.equal(again.packs_asked, 0);
  assert.equal(stateCounts(again)["DEEP_ARCHIVE thawing"], cold);

  clock.nowMs += 12 * HOUR_MS;
  const ready = await ours.done(["thaw", "latest", "--wait"]);
  assert.match(ready.stdout.toString(), /restore now/);
  await ours.restore("latest", join(folder, "back"));
  assertSameTree(source, join(folder, "back", source));
});

test("a tier that there is not, and storage without archive classes", async () => {
  const source = makeFolder(folder, "tiers");
  makeCorpus(source, 502, { small: 3, large: 0 });
  const class_ = "s3.storage-class-data=GLACIER";
  const cold = new S3Client(COMEBACK, `s3:${store.endpoint}/cold/b`, env, [class_]);
  await cold.done(["init"]);
  await cold.backup([source]);
  const wrong = await cold.run(["thaw", "latest", "--tier", "tomorrow"]);
  assertError(wrong, { exitCode: 1, code: "option.invalid", says: /Bulk, Standard, Expedited/ });
  const local = new S3Client(COMEBACK, join(folder, "local"), env);
  await local.done(["init"]);
  await local.backup([source]);
  const none = await local.run(["thaw", "latest"]);
  assertError(none, { exitCode: 1, code: "option.invalid", says: /no archive classes/ });
});
