import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";
import type { Tool } from "../drivers/tools.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { makeCertificate } from "../services/azurite/certificate.ts";
import { TunnelProxy } from "../services/azurite/tunnel-proxy.ts";
import { AzureClient, copyBlobs } from "./azure-client.ts";
import { containerOf, newContainer } from "./azure-store.ts";

const folder = scratchFolder("azure");

function withFlags(tool: Tool, ...flags: string[]): Tool {
  return { ...tool, flags: [...tool.flags, ...flags] };
}

function assertRestored(source: string, target: string): void {
  assertSameTree(source, target, { tops: false });
}

test("backup, check, forget, prune and restore, and restic reads a copy of the blobs", async () => {
  await using azurite = await Azurite.start();
  const container = newContainer();
  const tool = withFlags(COMEBACK, "-o", `azure.endpoint=${azurite.endpoint}`);
  const client = new AzureClient(tool, `azure:${container}:/laptop`, azurite.environment);
  const source = makeFolder(folder, "source");
  const corpus = new Corpus(source, new SeededRandom(21), { small: 80, large: 1 });

  await client.done(["init"]);
  await client.backup([source]);
  corpus.change(40);
  await client.backup([source]);
  await client.check();
  await client.restore(`latest:${source}`, join(folder, "restored"));
  assertRestored(source, join(folder, "restored"));

  await client.done(["forget", "--keep-last", "1", "--prune", "--keep-delete", "0s"]);
  assert.equal((await client.snapshots()).length, 1);
  await client.check();
  await client.restore(`latest:${source}`, join(folder, "restored-again"));
  assertRestored(source, join(folder, "restored-again"));

  const copy = makeFolder(folder, "copy");
  assert.ok((await copyBlobs(containerOf(azurite, container), "laptop/", copy)) > 5);
  for (const restic of [RESTIC_014, RESTIC_018]) await new Client(restic, copy).check();
});

test("on Azure's own host names, over TLS and through a proxy: restic and we take turns", async () => {
  const host = "comebacktests.blob.core.windows.net";
  const tls = makeCertificate(makeFolder(folder, "tls"), [host]);
  await using azurite = await Azurite.start({ tls });
  await using proxy = await TunnelProxy.start(azurite.port);
  const location = `azure:${newContainer()}:/shared`;
  const env = {
    ...azurite.environment,
    HTTPS_PROXY: proxy.url,
    https_proxy: proxy.url,
    no_proxy: "",
    NO_PROXY: "",
  };
  const trusting = (tool: Tool): AzureClient =>
    new AzureClient(withFlags(tool, "--cacert", tls.authorityPath), location, env);
  const [ours, restic] = [trusting(COMEBACK), trusting(RESTIC_014)];
  const source = makeFolder(folder, "shared");
  const corpus = new Corpus(source, new SeededRandom(22), { small: 40, large: 1 });

  await ours.done(["init"]);
  await ours.backup([source]);
  await restic.check();
  corpus.change(40);
  await restic.backup([source]);
  await ours.check();
  await ours.restore(`latest:${source}`, join(folder, "by-us"));
  assertRestored(source, join(folder, "by-us"));
  corpus.change(40);
  await ours.backup([source]);
  await restic.restore(`latest`, join(folder, "by-restic"), ["--include", source]);
  assertRestored(source, join(folder, "by-restic", source));
  assert.deepEqual(new Set(proxy.asked), new Set([`${host}:443`]));

  const untrusting = new AzureClient(COMEBACK, location, env);
  const refused = await untrusting.run(["snapshots"]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /\[backend\.misconfigured\]/);
  assert.match(refused.stderr, /--cacert/);
});

test("neither messages nor JSON nor the process list have the key or the signature", async () => {
  await using azurite = await Azurite.start();
  const { name, key } = azurite.account;
  const signature = "fZ0VmQ9K6mcV8lYt3dXA0000";
  const tool = withFlags(
    COMEBACK,
    "-o",
    `azure.endpoint=${azurite.endpoint}`,
    "-o",
    "azure.connections=2",
  );
  const location = `azure:${newContainer()}:/`;
  for (const [env, secret] of [
    [{ AZURE_ACCOUNT_NAME: name, AZURE_ACCOUNT_KEY: key }, key],
    [
      { AZURE_ACCOUNT_NAME: name, AZURE_ACCOUNT_SAS: `?sv=2024-08-04&sr=c&sp=rl&sig=${signature}` },
      signature,
    ],
  ] as const) {
    const client = new AzureClient(tool, location, { ...env, COMEBACK_DEBUG: "1" });
    for (const args of [["snapshots"], ["snapshots", "--json"], ["check", "-v"]]) {
      const { child, finished } = client.start(args);
      assert.ok(!child.spawnargs.join(" ").includes(secret));
      const { exitCode, stderr, stdout } = await finished;
      assert.notEqual(exitCode, 0);
      const said = `${stderr}${stdout.toString()}`;
      assert.match(said, /azure|Azure|AZURE/);
      assert.ok(!said.includes(secret) && !said.includes(encodeURIComponent(secret)), said);
    }
  }
});
