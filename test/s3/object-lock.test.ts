import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  S3Client as Sdk,
} from "@aws-sdk/client-s3";
import { s3BackendFactory } from "@comeback/backend-s3";
import { isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Corpus, makeCorpus } from "../drivers/corpus.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import { environmentOf, S3Client } from "./s3-clients.ts";

/** Object Lock, enforced by a real store. */
const folder = scratchFolder("object-lock");
const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());
const env = environmentOf(ceph.user);
const LOCK = "s3.object-lock=governance:1";

/** The store as someone has it who knows the keys and goes past us. */
const sdk = new Sdk({
  endpoint: ceph.endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: ceph.user.accessKey, secretAccessKey: ceph.user.secretKey },
});
after(() => sdk.destroy());

test("what is saved cannot be deleted by anyone, and is restored after all was deleted", async () => {
  const source = join(folder, "source");
  makeCorpus(source, 401, { small: 40, large: 1 });
  const ours = new S3Client(COMEBACK, `s3:${ceph.endpoint}/locked/a`, env, [LOCK]);
  await ours.done(["init"]);
  await ours.backup([source]);
  const listing = new ListObjectVersionsCommand({ Bucket: "locked", Prefix: "a/" });
  const { Versions = [] } = await sdk.send(listing);
  const kept = Versions.filter(({ Key = "" }) => !/probe|locks\//.test(Key));
  assert.ok(kept.length >= 6, "config, key, index, snapshot and two packs");
  for (const { Key, VersionId } of kept) {
    const deletion = sdk.send(new DeleteObjectCommand({ Bucket: "locked", Key, VersionId }));
    await assert.rejects(deletion, (error: Error) => error.name === "AccessDenied", Key);
  }
  // Hidden by all means that there are, and then the marks that hide them are taken away.
  for (const { Key } of kept) await sdk.send(new DeleteObjectCommand({ Bucket: "locked", Key }));
  assert.equal((await ours.run(["snapshots"])).exitCode, 10);
  const { DeleteMarkers = [] } = await sdk.send(listing);
  for (const { Key, VersionId } of DeleteMarkers) {
    await sdk.send(new DeleteObjectCommand({ Bucket: "locked", Key, VersionId }));
  }
  await ours.check();
  await ours.restore("latest", join(folder, "back"));
  assertSameTree(source, join(folder, "back", source));
  await new S3Client(RESTIC_018, ours.repository, env).check();
});

test("a snapshot that is locked is not forgotten, and prune leaves what is locked", async () => {
  const source = makeFolder(folder, "forget", "source");
  const corpus = new Corpus(source, new SeededRandom(402), { small: 40, large: 1 });
  const ours = new S3Client(COMEBACK, `s3:${ceph.endpoint}/forget/a`, env, [LOCK]);
  await ours.done(["init"]);
  await ours.backup([source]);
  corpus.change(100);
  await ours.backup([source]);
  const forgotten = await ours.run(["forget", "--keep-last", "1", "--group-by", ""]);
  assert.notEqual(forgotten.exitCode, 0);
  assert.match(forgotten.stderr.replaceAll(/\s+/g, " "), /is locked until \d{4}-/);
  assert.equal((await ours.snapshots()).length, 2);
  // Without the setting it is hidden: what it needs is marked, and later hidden as well.
  const plain = new S3Client(COMEBACK, ours.repository, env);
  await plain.done(["forget", "--keep-last", "1", "--group-by", ""]);
  await ours.done(["prune", "--keep-delete", "0s"]);
  await ours.done(["prune", "--keep-delete", "0s"]);
  await ours.check();
  await new S3Client(RESTIC_018, ours.repository, env).check();
});

test("retention is probed, extended for what snapshots need, and never shortened", async () => {
  const source = makeFolder(folder, "extend", "source");
  makeCorpus(source, 403, { small: 40, large: 0 });
  const repository = `s3:${ceph.endpoint}/extend/a`;
  const ours = new S3Client(COMEBACK, repository, env, [LOCK]);
  await ours.done(["init"]);
  await ours.backup([source]);
  const probed = await ours.done(["retention", "probe"]);
  assert.match(probed.stdout.toString(), /refused to delete a locked file: AccessDenied/);
  interface Extended {
    readonly files: number;
    readonly files_extended: number;
    readonly until: string;
  }
  const extended = await ours.json<Extended>(["retention", "extend", "--for", "30d"]);
  assert.equal(extended.files_extended, extended.files);
  await ours.done(["retention", "extend", "--for", "2d"]);
  const settings = new Map([["object-lock", "governance:1"]]);
  await using backend = await s3BackendFactory.open(repository, { env, settings });
  for (const type of ["config", "key", "index", "snapshot", "pack"] as const) {
    for await (const { name } of backend.list(type)) {
      const untilMs = await backend.retention?.lockedUntilMs({ type, name });
      assert.equal(
        Math.floor((untilMs ?? 0) / 1000),
        Math.floor(Date.parse(extended.until) / 1000),
      );
      if (type === "index") continue;
      await assert.rejects(backend.remove({ type, name }), (error) =>
        isComebackError(error, "backend.retained"),
      );
    }
  }
});

test("a bucket without Object Lock, and storage that locks nothing, are told apart", async () => {
  const place = `s3:${ceph.endpoint}/unlocked`;
  await new S3Client(COMEBACK, `${place}/a`, env).done(["init"]);
  const init = await new S3Client(COMEBACK, `${place}/b`, env, [LOCK]).run(["init"]);
  assertError(init, { exitCode: 1, code: "backend.misconfigured", says: /has no Object Lock/ });
  const probe = await new S3Client(COMEBACK, `${place}/a`, env).run(["retention", "probe"]);
  assertError(probe, { exitCode: 1, code: "option.invalid", says: /s3\.object-lock/ });
});
