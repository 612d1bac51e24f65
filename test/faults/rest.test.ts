import { join } from "node:path";
import { after, test } from "node:test";
import { HttpFaultProxy } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";
import { assertNothingLost, liveThroughStorm, makeCorpus } from "./far-place.ts";
import { HttpStorm } from "./http-storm.ts";

const SEED = 811;
const folder = memoryFolder("faults-rest");
const [port = 0] = await freePorts(1);
const data = makeFolder(folder, "data");
const server = await startRestServer({ data, port });
after(() => server[Symbol.asyncDispose]());
const proxy = await HttpFaultProxy.start({ port });
after(() => proxy[Symbol.asyncDispose]());

test(`a REST server behind a bad network: all gets through, seed ${SEED}`, async () => {
  const client = new Client(COMEBACK, `rest:http://127.0.0.1:${proxy.port}/storm/`);
  await client.done(["init"]);
  const corpus = makeCorpus(join(folder, "storm"), SEED);
  const restic = new Client(RESTIC_018, `${server.url}/storm/`);
  const place = { client, folder, corpus, resticChecks: () => restic.check() };
  const slowDown = { kind: "answer", status: 503, headers: { "retry-after": "2" } } as const;
  const storm = new HttpStorm({ seed: SEED, slowDown, every: 4 });
  proxy.usually(storm.choose);
  await liveThroughStorm(place, () => storm.missing);
  proxy.usually();
  await assertNothingLost(place);
});
