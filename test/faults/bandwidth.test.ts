import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Direction, FaultProxy, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { freePorts } from "../drivers/free-ports.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { startRestServer } from "../services/rclone/rest-servers.ts";

const SEED = 851;
const KiB = 1024;
const RATE_KIB = 512;
const WINDOW_MS = 30_000;
/** What went before does not count: opening the repository, and filling the kernel's buffers. */
const START_BYTES = 3 * 1024 * KiB;

const folder = memoryFolder("faults-bandwidth");
const [port = 0] = await freePorts(1);
const server = await startRestServer({ data: makeFolder(folder, "data"), port });
after(() => server[Symbol.asyncDispose]());

/** What does not get smaller, and lasts longer than the window. */
const source = makeFolder(folder, "source");
const enough = (WINDOW_MS / 1000) * RATE_KIB * KiB * 2;
writeFileSync(join(source, "random.bin"), new SeededRandom(SEED).bytes(enough));

/**
 * Bytes that went through. Downloads are counted where the program takes them: on loopback the
 * kernel itself takes up to 32 MB for a connection before the program asks for any of it.
 */
function passed(direction: Direction, proxy: FaultProxy, pid: number): number {
  if (direction === "up") return proxy.passedBytes("up");
  const counted = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1];
  return Number(counted);
}

/** Bytes in a window, against what the rate allows in that window. */
async function assertRate(
  args: readonly string[],
  direction: Direction,
  repository: string,
): Promise<void> {
  const proxy = await FaultProxy.start({ port });
  after(() => proxy[Symbol.asyncDispose]());
  const limited = new Client(COMEBACK, `rest:http://127.0.0.1:${proxy.port}/${repository}/`);
  const running = limited.start(["--no-cache", ...args]);
  await waitUntil("packs go through", () => proxy.passedBytes(direction) > START_BYTES);
  const [startMs, startBytes] = [performance.now(), passed(direction, proxy, running.pid)];
  await sleep(WINDOW_MS);
  const seconds = (performance.now() - startMs) / 1000;
  const bytes = passed(direction, proxy, running.pid) - startBytes;
  running.child.kill("SIGINT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 130, finished.describe());
  const ratio = bytes / (seconds * RATE_KIB * KiB);
  assert.ok(ratio > 0.9 && ratio < 1.1, `${bytes} bytes in ${seconds} s: ${ratio} of the rate`);
}

test("--limit-upload and --limit-download hold for half a minute", async () => {
  const direct = (name: string): Client => new Client(COMEBACK, `${server.url}/${name}/`);
  await direct("up").done(["init"]);
  await direct("down").done(["init"]);
  await direct("down").backup([source]);
  const [rate, target] = [String(RATE_KIB), join(folder, "target")];
  await Promise.all([
    assertRate(["backup", "--limit-upload", rate, source], "up", "up"),
    assertRate(["restore", "latest", "--target", target, "--limit-download", rate], "down", "down"),
  ]);
});
