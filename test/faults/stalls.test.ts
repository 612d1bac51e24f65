import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { HttpFaultProxy, type SeenRequest, startS3StandIn } from "@comeback/testkit";
import { AzureClient } from "../azure/azure-client.ts";
import { containerOf, newContainer } from "../azure/azure-store.ts";
import { Client } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";
import { FarSsh } from "./far-ssh.ts";
import { assertGoesOn, DENSE, makeCorpus } from "./far-place.ts";

/**
 * A server that takes uploads and never answers. Each adapter gives such a call up in the end, which
 * their own tests see with short limits; here somebody does not wait so long.
 */
const folder = memoryFolder("faults-stalls");

function isPackUpload({ method, url }: SeenRequest): boolean {
  return (method === "PUT" || method === "POST") && url.includes("/data/");
}

async function interruptStalled(
  client: Client,
  proxy: HttpFaultProxy,
  parts: {
    readonly place: string;
    readonly seed: number;
    locks(): readonly string[] | Promise<readonly string[]>;
  },
): Promise<void> {
  const { place, seed, locks } = parts;
  await client.done(["init"]);
  const corpus = makeCorpus(place, seed);
  proxy.usually((request) => (isPackUpload(request) ? { kind: "no-answer" } : undefined));
  const running = client.start(["backup", "-v", ...DENSE, corpus.folder]);
  // All of it is there: the client cannot know whether it is stored.
  await waitUntil("an upload stalls", () => proxy.wholeRequests.some(isPackUpload));
  assert.equal((await locks()).length, 1);
  running.child.kill("SIGINT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 130, finished.describe());
  // It did not take the limit of the adapter to end it.
  assert.doesNotMatch(finished.stderr, /stalled|was heard|again in/, finished.describe());
  assert.deepEqual(await locks(), [], "other calls went through, so the lock could be removed");
  proxy.usually();
  await assertGoesOn({ client, folder: place, corpus });
}

test("Ctrl-C while a REST server does not answer", async () => {
  const [port = 0] = await freePorts(1);
  const place = join(folder, "rest");
  const data = makeFolder(place, "data");
  await using _server = await startRestServer({ data, port });
  const proxy = await HttpFaultProxy.start({ port });
  after(() => proxy[Symbol.asyncDispose]());
  const client = new Client(COMEBACK, `rest:http://127.0.0.1:${proxy.port}/laptop/`);
  const locks = (): string[] => readdirSync(join(data, "laptop/locks"));
  await interruptStalled(client, proxy, { place, seed: 861, locks });
});

test("Ctrl-C while an object store does not answer", async () => {
  await using store = await startS3StandIn();
  const proxy = await HttpFaultProxy.start({ port: Number(new URL(store.endpoint).port) });
  after(() => proxy[Symbol.asyncDispose]());
  const env = environmentOf({ accessKey: "some-key", secretKey: "of-no-matter" });
  const client = new S3Client(COMEBACK, `s3:http://127.0.0.1:${proxy.port}/bucket/a`, env);
  const locks = (): string[] =>
    [...(store.bucket("bucket")?.objects.keys() ?? [])].filter((key) => key.includes("/locks/"));
  await interruptStalled(client, proxy, { place: join(folder, "s3"), seed: 862, locks });
});

test("Ctrl-C while Azure does not answer", async () => {
  await using azurite = await Azurite.start();
  const proxy = await HttpFaultProxy.start({ port: azurite.port });
  after(() => proxy[Symbol.asyncDispose]());
  const container = newContainer();
  const endpoint = `http://127.0.0.1:${proxy.port}/${azurite.account.name}`;
  const tool = { ...COMEBACK, flags: ["-o", `azure.endpoint=${endpoint}`] };
  const client = new AzureClient(tool, `azure:${container}:/laptop`, azurite.environment);
  const blobs = containerOf(azurite, container);
  const locks = (): Promise<string[]> =>
    Array.fromAsync(blobs.listBlobsFlat({ prefix: "laptop/locks/" }), ({ name }) => name);
  await interruptStalled(client, proxy, { place: join(folder, "azure"), seed: 863, locks });
});

test("Ctrl-C while an ssh server does not answer", async () => {
  const place = join(folder, "sftp");
  const far = await FarSsh.start(place);
  const root = join(place, "repository");
  await far.client("direct", root).done(["init"]);
  const corpus = makeCorpus(place, 864);
  // Long enough for a lock and a part of the first pack; then it takes nothing any more.
  far.proxy.stage({ up: { hangAfterBytes: 1_000_000 } });
  const client = far.client("far", root);
  const running = client.start(["backup", "-v", ...DENSE, corpus.folder]);
  await waitUntil("an upload stalls", () => far.proxy.passedBytes("up") >= 1_000_000);
  const locks = (): string[] => readdirSync(join(root, "locks"));
  assert.equal(locks().length, 1);
  running.child.kill("SIGINT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 130, finished.describe());
  assert.doesNotMatch(finished.stderr, /nothing came from it/, finished.describe());
  // The calls on it were given up with the connection; the next one does go through.
  assert.deepEqual(locks(), []);
  await assertGoesOn({ client, folder: place, corpus });
});
