import { after, test } from "node:test";
import { HttpFaultProxy } from "@comeback/testkit";
import { AzureClient, copyBlobs } from "../azure/azure-client.ts";
import { containerOf, newContainer } from "../azure/azure-store.ts";
import { Client } from "../drivers/client.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { Azurite } from "../services/azurite/azurite.ts";
import { assertNothingLost, liveThroughStorm, makeCorpus } from "./far-place.ts";
import { type Answer, HttpStorm } from "./http-storm.ts";

const SEED = 813;
const SERVER_BUSY: Answer = {
  kind: "answer",
  status: 503,
  headers: { "x-ms-error-code": "ServerBusy", "content-type": "application/xml" },
  body: "<Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>",
};

test(`Azure behind a bad network: all gets through, seed ${SEED}`, async () => {
  const folder = memoryFolder("faults-azure");
  await using azurite = await Azurite.start();
  const proxy = await HttpFaultProxy.start({ port: azurite.port });
  after(() => proxy[Symbol.asyncDispose]());
  const container = newContainer();
  const endpoint = `http://127.0.0.1:${proxy.port}/${azurite.account.name}`;
  const tool = { ...COMEBACK, flags: ["-o", `azure.endpoint=${endpoint}`] };
  const client = new AzureClient(tool, `azure:${container}:/laptop`, azurite.environment);
  await client.done(["init"]);

  const resticChecks = async (): Promise<void> => {
    const copy = makeFolder(folder, "copy");
    await copyBlobs(containerOf(azurite, container), "laptop/", copy);
    await new Client(RESTIC_018, copy).check();
  };
  const place = { client, folder, corpus: makeCorpus(folder, SEED), resticChecks };
  const storm = new HttpStorm({ seed: SEED, slowDown: SERVER_BUSY, every: 5 });
  proxy.usually(storm.choose);
  await liveThroughStorm(place, () => storm.missing);
  proxy.usually();
  await assertNothingLost(place);
});
