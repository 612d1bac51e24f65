import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultProxy } from "@comeback/testkit";
import type { Running } from "../drivers/run-program.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import { environmentOf, S3Client } from "./s3-clients.ts";

const MB = 1e6;
const CONNECTIONS = 16;
const LATENCY_MS = 200;
/** Of the whole process. Sixteen packs alone would be as much. */
const MEMORY_MAX_BYTES = 350 * MB;
const LOOK_EVERY_MS = 20;

const folder = memoryFolder("s3-far-away");
const ceph = await startCeph();
after(() => ceph[Symbol.asyncDispose]());
const env = environmentOf(ceph.user);
const proxy = await FaultProxy.start({ port: Number(new URL(ceph.endpoint).port) });
after(() => proxy[Symbol.asyncDispose]());

/** What cannot be compressed, so that every byte of it has to go over the network. */
const source = makeFolder(folder, "source");
for (let file = 0; file < 6; file++) {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, file), Buffer.alloc(16));
  writeFileSync(join(source, `random-${file}`), cipher.update(Buffer.alloc(50 * MB)));
}

/** The most memory that a program ever had, as the kernel counts it; it never becomes less. */
async function peakBytesOf({ pid, child }: Running): Promise<number> {
  let peakKiB = 0;
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      peakKiB = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? peakKiB);
    } catch {
      // It has just ended.
    }
    await sleep(LOOK_EVERY_MS);
  }
  return peakKiB * 1024;
}

test("a store far away gets a pack for each connection, and that takes no memory", async () => {
  const path = "far-away/a";
  const options = [`s3.connections=${CONNECTIONS}`];
  const place = `s3:http://127.0.0.1:${proxy.port}/${path}`;
  const client = new S3Client(COMEBACK, place, env, options);
  await client.done(["init"]);
  const latencyMs = LATENCY_MS / 2;
  proxy.always({ up: { latencyMs }, down: { latencyMs } });
  const madeBefore = proxy.connectionsMade;
  const running = client.start(["backup", source]);
  const [finished, peakBytes] = await Promise.all([running.finished, peakBytesOf(running)]);
  assert.equal(finished.exitCode, 0, finished.describe());
  const made = proxy.connectionsMade - madeBefore;
  assert.ok(made > CONNECTIONS / 2, `packs went through ${made} connections`);
  assert.ok(peakBytes > 50 * MB, "the memory was not seen");
  assert.ok(peakBytes < MEMORY_MAX_BYTES, `${Math.round(peakBytes / MB)} MB of memory`);
  const restic = new S3Client(RESTIC_018, `s3:${ceph.endpoint}/${path}`, env);
  await restic.check();
});
