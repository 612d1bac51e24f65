import assert from "node:assert/strict";
import { after, test } from "node:test";
import { backendConformance, SeededRandom } from "@comeback/testkit";
import { s3BackendFactory } from "@comeback/backend-s3";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import { environmentOf } from "./s3-clients.ts";

const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());

let made = 0;

backendConformance("Ceph's gateway", async () => {
  // Prefixes of one bucket: a bucket is slow to make.
  const location = `s3:${ceph.endpoint}/conformance/${made++}`;
  const open = (): ReturnType<typeof s3BackendFactory.create> =>
    s3BackendFactory.create(location, { env: environmentOf(ceph.user) });
  const backend = await open();
  return {
    backend,
    another: open,
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
});

test("a list of more than one page is whole", async () => {
  const location = `s3:${ceph.endpoint}/pages/here`;
  const settings = [new Map<string, string>(), new Map([["list-objects-v1", "true"]])];
  await using backend = await s3BackendFactory.create(location, {
    env: environmentOf(ceph.user),
    settings: new Map([["connections", "20"]]),
  });
  const random = new SeededRandom(305);
  const names = Array.from({ length: 2_100 }, () => random.hex(32));
  for (let i = 0; i < names.length; i += 20) {
    const some = names.slice(i, i + 20);
    await Promise.all(
      some.map((name) => backend.save({ type: "snapshot", name }, new Uint8Array(3))),
    );
  }
  await backend.save({ type: "config", name: "" }, new Uint8Array(3));
  for (const setting of settings) {
    const options = { env: environmentOf(ceph.user), settings: setting };
    await using reader = await s3BackendFactory.open(location, options);
    const listed: string[] = [];
    for await (const { name } of reader.list("snapshot")) listed.push(name);
    assert.deepEqual(listed.toSorted(), names.toSorted());
  }
});
