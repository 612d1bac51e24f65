import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ContainerSASPermissions } from "@azure/storage-blob";
import { HttpFaultProxy, type SeenRequest, startS3StandIn } from "@comeback/testkit";
import { AzureClient } from "../azure/azure-client.ts";
import { containerOf, newContainer } from "../azure/azure-store.ts";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import type { Running } from "../drivers/run-program.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";
import { assertGoesOn, DENSE, makeCorpus } from "./far-place.ts";
import type { Answer } from "./http-storm.ts";

/**
 * Credentials that hold at the start of a backup, and not at its end. What is refused stays
 * refused: it is told at once, and not tried again for a quarter of an hour.
 */
const folder = memoryFolder("faults-credentials");

async function proxyBefore(port: number): Promise<HttpFaultProxy> {
  const proxy = await HttpFaultProxy.start({ port });
  after(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

function isPackUpload({ method, url }: SeenRequest): boolean {
  return (method === "PUT" || method === "POST") && url.includes("/data/");
}

/** Ends with this error, and not after many more requests. */
async function assertRefused(running: Running, requests: readonly unknown[]): Promise<void> {
  const finished = await running.finished;
  assertError(finished, { exitCode: 1, code: "backend.credentials" });
  // A server that refuses an upload may cut it off first: then it is asked once more, and says so.
  assert.ok(requests.length < 100, `${requests.length} requests`);
}

test("an object store's session token expires in the middle of a backup", async () => {
  await using store = await startS3StandIn();
  const proxy = await proxyBefore(Number(new URL(store.endpoint).port));
  const env = environmentOf({ accessKey: "temporary", secretKey: "of-no-matter" });
  const client = new S3Client(COMEBACK, `s3:http://127.0.0.1:${proxy.port}/bucket/a`, env);
  await client.done(["init"]);
  const place = join(folder, "s3");
  const corpus = makeCorpus(place, 831);
  const expired: Answer = {
    kind: "answer",
    status: 400,
    headers: { "content-type": "application/xml" },
    body: "<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>",
  };
  let packs = 0;
  proxy.usually((request) => {
    if (isPackUpload(request)) packs++;
    return packs > 1 ? expired : undefined;
  });
  await assertRefused(client.start(["backup", ...DENSE, corpus.folder]), proxy.requests);
  proxy.usually();
  await assertGoesOn({ client, folder: place, corpus });
});

test("a shared access signature ends in the middle of a backup", async () => {
  await using azurite = await Azurite.start();
  const proxy = await proxyBefore(azurite.port);
  const container = newContainer();
  const endpoint = `http://127.0.0.1:${proxy.port}/${azurite.account.name}`;
  const tool = { ...COMEBACK, flags: ["-o", `azure.endpoint=${endpoint}`] };
  const location = `azure:${container}:/laptop`;
  const client = new AzureClient(tool, location, azurite.environment);
  await client.done(["init"]);
  const place = join(folder, "azure");
  const corpus = makeCorpus(place, 832);

  const validMs = 8_000;
  const expiresOn = new Date(Date.now() + validMs);
  const expired = sleep(validMs + 1_000);
  const permissions = ContainerSASPermissions.parse("racwdl");
  const url = await containerOf(azurite, container).generateSasUrl({ permissions, expiresOn });
  const temporary = new AzureClient(tool, location, {
    AZURE_ACCOUNT_NAME: azurite.account.name,
    AZURE_ACCOUNT_SAS: new URL(url).search.slice(1),
  });
  proxy.usually((request) =>
    isPackUpload(request) ? { kind: "hold", until: expired } : undefined,
  );
  const seen = proxy.requests.length;
  const running = temporary.start(["backup", ...DENSE, corpus.folder]);
  await assertRefused(running, proxy.requests.slice(seen));
  assert.match((await running.finished).stderr.replaceAll(/\s+/g, " "), /expired at/);
  proxy.usually();
  await assertGoesOn({ client, folder: place, corpus });
});

test("a REST server gets other passwords in the middle of a backup", async () => {
  const [port = 0] = await freePorts(1);
  const proxy = await proxyBefore(port);
  const place = join(folder, "rest");
  const data = makeFolder(place, "data");
  const user = { name: "ada", password: "old-password" };
  const renewed = { name: "ada", password: "new-password" };
  const before = await startRestServer({ data, port, user });
  const url = `rest:http://127.0.0.1:${proxy.port}/laptop/`;
  const client = new LoggedIn(COMEBACK, url, user);
  await client.done(["init"]);
  const corpus = makeCorpus(place, 833);

  const { promise: changed, resolve: change } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  proxy.usually((request) => {
    if (!isPackUpload(request)) return undefined;
    begin();
    return { kind: "hold", until: changed };
  });
  const running = client.start(["backup", ...DENSE, corpus.folder]);
  await begun;
  await before.process.kill();
  await using _server = await startRestServer({ data, port, user: renewed });
  change();
  await assertRefused(running, proxy.requests);
  proxy.usually();
  await assertGoesOn({ client: new LoggedIn(COMEBACK, url, renewed), folder: place, corpus });
});

/** A client of a server that asks who is there. */
class LoggedIn extends Client {
  readonly #user: { readonly name: string; readonly password: string };

  constructor(
    tool: typeof COMEBACK,
    url: string,
    user: { readonly name: string; readonly password: string },
  ) {
    super(tool, url);
    this.#user = user;
  }

  override get environment(): Record<string, string | undefined> {
    const { name, password } = this.#user;
    return {
      ...super.environment,
      COMEBACK_REST_USERNAME: name,
      COMEBACK_REST_PASSWORD: password,
    };
  }
}
