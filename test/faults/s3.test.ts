import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { HttpFaultProxy } from "@comeback/testkit";
import { memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import {
  assertComesBack,
  assertNothingLost,
  DENSE,
  type FarPlace,
  liveThroughStorm,
  makeCorpus,
} from "./far-place.ts";
import { alwaysFlips, type Answer, badFirstReadings, HttpStorm } from "./http-storm.ts";
import { assertOnlyNamedDiffer } from "./named-files.ts";

const SEED = 812;
const folder = memoryFolder("faults-s3");
const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());
const env = environmentOf(ceph.user);
const proxy = await HttpFaultProxy.start({ port: Number(new URL(ceph.endpoint).port) });
after(() => proxy[Symbol.asyncDispose]());

const SLOW_DOWN: Answer = {
  kind: "answer",
  status: 503,
  headers: { "content-type": "application/xml" },
  body: "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
};

async function makePlace(name: string, seed: number): Promise<FarPlace> {
  const client = new S3Client(COMEBACK, `s3:http://127.0.0.1:${proxy.port}/${name}/a`, env);
  await client.done(["init"]);
  const restic = new S3Client(RESTIC_018, `s3:${ceph.endpoint}/${name}/a`, env);
  const place = join(folder, name);
  return {
    client,
    folder: place,
    corpus: makeCorpus(place, seed),
    resticChecks: () => restic.check(),
  };
}

test(`an object store behind a bad network: all gets through, seed ${SEED}`, async () => {
  const place = await makePlace("storm", SEED);
  const storm = new HttpStorm({ seed: SEED, slowDown: SLOW_DOWN, every: 5 });
  proxy.usually(storm.choose);
  await liveThroughStorm(place, () => storm.missing);
  proxy.usually();
  await assertNothingLost(place);
});

test("what comes with another bit is read once more, and told by a check", async () => {
  const place = await makePlace("first-readings", SEED + 1);
  const { client, corpus } = place;
  await client.backup([corpus.folder], { args: DENSE });

  const restoring = badFirstReadings();
  proxy.usually(restoring.choose);
  await assertComesBack(place);
  assert.ok(restoring.files.size >= 5, [...restoring.files].join("\n"));

  const checking = badFirstReadings();
  proxy.usually(checking.choose);
  const checked = await client.run(["check", "--read-data", ...DENSE]);
  assert.equal(checked.exitCode, 1, checked.describe());
  assert.match(checked.stderr + checked.stdout.toString(), /only when it was read a second time/);

  const backingUp = badFirstReadings();
  proxy.usually(backingUp.choose);
  corpus.change(30);
  await client.backup([corpus.folder], { args: DENSE });
  assert.ok(backingUp.files.size >= 3, [...backingUp.files].join("\n"));
  proxy.usually();
  await assertNothingLost(place);
});

test("where packs never come as they are, no changed byte gets into a file unnamed", async () => {
  const place = await makePlace("flips", SEED + 2);
  const { client, corpus } = place;
  await client.backup([corpus.folder], { args: DENSE });
  proxy.usually(alwaysFlips("data"));
  const target = join(place.folder, "back");
  const args = ["restore", `latest:${corpus.folder}`, "--target", target, ...DENSE];
  const broken = await client.run(args);
  assert.equal(broken.exitCode, 1, broken.describe());
  assertOnlyNamedDiffer(corpus.folder, target, broken);
  const checked = await client.run(["check", "--read-data", ...DENSE]);
  assert.equal(checked.exitCode, 1, checked.describe());
  proxy.usually();
  await client.done(args);
  await assertNothingLost(place);
});

test("a gateway that is killed and comes back in the middle of a backup", async () => {
  const place = await makePlace("restart", SEED + 3);
  const { client, corpus } = place;
  const before = proxy.requests.length;
  const isPack = ({ method, url }: { method: string; url: string }): boolean =>
    method === "PUT" && url.includes("/data/");
  const running = client.start(["backup", "--json", ...DENSE, corpus.folder]);
  await waitUntil("a pack is being stored", () => proxy.requests.slice(before).some(isPack));
  await ceph.restartGateway();
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  await assertNothingLost(place);
});
