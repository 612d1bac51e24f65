import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { FaultProxy, HttpFaultProxy } from "@comeback/testkit";
import type { HttpFault } from "@comeback/testkit";
import { createS3 } from "../src/create.ts";
import { BUCKET, ENV, standInFixture } from "./stand-in-fixture.ts";

const PACK = { type: "pack", name: "ab".repeat(32) } as const;
const DATA = new Uint8Array(400_000);

function isSilence(error: unknown): boolean {
  assert.ok(error instanceof ComebackError, String(error));
  assert.equal(error.code, "backend.unreachable");
  assert.equal(error.retryable, true);
  assert.match(error.why ?? "", /nothing was heard for 0\.05 s/);
  return true;
}

test("a store that takes calls and says nothing is given up, whatever the call", async () => {
  await using fixture = await standInFixture();
  const { backend: direct, store } = fixture;
  await direct.save(PACK, DATA);
  await using proxy = await HttpFaultProxy.start({ port: Number(new URL(store.endpoint).port) });
  const location = `s3:http://127.0.0.1:${proxy.port}/${BUCKET}/some/where`;
  await using backend = await createS3(location, { env: ENV }, { idleMaxMs: 50 });
  const silent: HttpFault = { kind: "no-answer" };
  proxy.usually(() => silent);
  await assert.rejects(backend.load(PACK), isSilence);
  await assert.rejects(backend.stat(PACK), isSilence);
  await assert.rejects(backend.remove(PACK), isSilence);
  await assert.rejects(Array.fromAsync(backend.list("pack")), isSilence);
  await assert.rejects(backend.save({ ...PACK, name: "cd".repeat(32) }, DATA), isSilence);
  // It goes on where the store answers again.
  proxy.usually();
  assert.equal((await backend.load(PACK)).byteLength, DATA.byteLength);
});

test("an answer that stops in its middle is given up", async () => {
  await using fixture = await standInFixture();
  await fixture.backend.save(PACK, DATA);
  const { port } = new URL(fixture.store.endpoint);
  await using proxy = await FaultProxy.start({ port: Number(port) });
  proxy.always({ down: { hangAfterBytes: DATA.byteLength / 2 } });
  const location = `s3:http://127.0.0.1:${proxy.port}/${BUCKET}/some/where`;
  await using backend = await createS3(location, { env: ENV }, { idleMaxMs: 50 });
  await assert.rejects(backend.load(PACK), isSilence);
});
