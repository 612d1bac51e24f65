import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { HttpFaultProxy, startS3StandIn } from "@comeback/testkit";
import { AzureClient } from "../azure/azure-client.ts";
import { newContainer } from "../azure/azure-store.ts";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import type { Running, RunOptions } from "../drivers/run-program.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";
import { assertGoesOn, DENSE, makeCorpus } from "./far-place.ts";

/**
 * A name server that is gone in the middle of a backup, as when a laptop changes its network. All
 * that is wrong with a name that nobody ever knew is told at once.
 */
const folder = memoryFolder("faults-lost-names");
const hook = new URL("../drivers/name-server.ts", import.meta.url).href;

async function proxyBefore(port: number): Promise<HttpFaultProxy> {
  const proxy = await HttpFaultProxy.start({ port });
  after(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

async function surviveLostNames(
  client: Client,
  proxy: HttpFaultProxy,
  { place, seed }: { readonly place: string; readonly seed: number },
): Promise<void> {
  const corpus = makeCorpus(place, seed);
  const lost = join(place, "lost-names");
  const env = { NODE_OPTIONS: `--import=${hook}`, LOST_NAMES: lost };
  await client.done(["init"], { env });
  let packs = 0;
  proxy.usually(({ method, url }) => {
    const isPack = (method === "PUT" || method === "POST") && url.includes("/data/");
    if (isPack && ++packs === 2) writeFileSync(lost, "");
    // Connections that were made before end as well; for new ones a name is needed.
    return existsSync(lost) ? { kind: "drop" } : undefined;
  });
  const running = client.start(["backup", ...DENSE, corpus.folder], { env });
  await waitUntil("the name is lost", () => existsSync(lost));
  const questions = (): number => readFileSync(lost, "utf8").split("\n").length - 1;
  await waitUntil("it is asked for again", () => questions() >= 5);
  // Nobody knows the name at the beginning of this one.
  const wrong = await client.run(["snapshots"], { env });
  assertError(wrong, { exitCode: 1, code: "backend.unknown-host" });
  rmSync(lost);
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  proxy.usually();
  await assertGoesOn({ client: new WithNames(client, env), folder: place, corpus });
}

/** The same client, for whom the name server is there. */
class WithNames extends Client {
  readonly #client: Client;
  readonly #env: Readonly<Record<string, string>>;

  constructor(client: Client, env: Readonly<Record<string, string>>) {
    super(client.tool, client.repository);
    this.#client = client;
    this.#env = env;
  }

  override start(args: readonly string[], options: RunOptions = {}): Running {
    return this.#client.start(args, { ...options, env: { ...this.#env, ...options.env } });
  }
}

test("names are lost in the middle of a backup to a REST server", async () => {
  const [port = 0] = await freePorts(1);
  const place = join(folder, "rest");
  await using _server = await startRestServer({ data: makeFolder(place, "data"), port });
  const proxy = await proxyBefore(port);
  const client = new Client(COMEBACK, `rest:http://far-away.test:${proxy.port}/laptop/`);
  await surviveLostNames(client, proxy, { place, seed: 871 });
});

test("names are lost in the middle of a backup to an object store", async () => {
  await using store = await startS3StandIn();
  const proxy = await proxyBefore(Number(new URL(store.endpoint).port));
  const keys = environmentOf({ accessKey: "some-key", secretKey: "of-no-matter" });
  const client = new S3Client(COMEBACK, `s3:http://far-away.test:${proxy.port}/bucket/a`, keys);
  await surviveLostNames(client, proxy, { place: join(folder, "s3"), seed: 872 });
});

test("names are lost in the middle of a backup to Azure", async () => {
  await using azurite = await Azurite.start();
  const proxy = await proxyBefore(azurite.port);
  // The service, and the emulator, take the account's name from that of the host.
  const endpoint = `http://${azurite.account.name}.far-away.test:${proxy.port}`;
  const tool = { ...COMEBACK, flags: ["-o", `azure.endpoint=${endpoint}`] };
  const location = `azure:${newContainer()}:/laptop`;
  const client = new AzureClient(tool, location, azurite.environment);
  await surviveLostNames(client, proxy, { place: join(folder, "azure"), seed: 873 });
});
