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
import { FarSsh } from "./far-ssh.ts";

const SEED = 851;
const KiB = 1024;
const RATE_KIB = 512;
const WINDOW_MS = 30_000;
/** What went before does not count: opening the repository, and filling the kernel's buffers. */
const START_BYTES = 3 * 1024 * KiB;

const folder = memoryFolder("faults-bandwidth");

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

/** A repository, and the way to it on which the bytes are counted. */
interface CountedWay {
  readonly proxy: FaultProxy;
  readonly client: Client;
}

/** Bytes in a window, against what the rate allows in that window. */
async function assertRate(
  args: readonly string[],
  direction: Direction,
  { proxy, client }: CountedWay,
): Promise<void> {
  const running = client.start(["--no-cache", ...args]);
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

const [port = 0] = await freePorts(1);
const data = makeFolder(folder, "data");
const server = await startRestServer({ data, port });
after(() => server[Symbol.asyncDispose]());

async function restWay(name: string): Promise<CountedWay> {
  const proxy = await FaultProxy.start({ port });
  after(() => proxy[Symbol.asyncDispose]());
  const url = `rest:http://127.0.0.1:${proxy.port}/${name}/`;
  return { proxy, client: new Client(COMEBACK, url) };
}

async function sftpWay(name: string): Promise<CountedWay> {
  const far = await FarSsh.start(join(folder, `ssh-${name}`));
  return { proxy: far.proxy, client: far.client("far", join(data, name)) };
}

test("--limit-upload and --limit-download hold for half a minute, on REST and SFTP", async () => {
  const ways = {
    "rest-up": await restWay("rest-up"),
    "rest-down": await restWay("rest-down"),
    "sftp-up": await sftpWay("sftp-up"),
    "sftp-down": await sftpWay("sftp-down"),
  };
  for (const name of Object.keys(ways)) {
    // On their way they would count.
    const local = new Client(COMEBACK, join(data, name));
    await local.done(["init"]);
    if (name.endsWith("-down")) await local.backup([source]);
  }
  const rate = String(RATE_KIB);
  const up = ["backup", "--limit-upload", rate, source];
  const down = (name: string): string[] => {
    const target = join(folder, `target-${name}`);
    return ["restore", "latest", "--target", target, "--limit-download", rate];
  };
  await Promise.all([
    assertRate(up, "up", ways["rest-up"]),
    assertRate(down("rest"), "down", ways["rest-down"]),
    assertRate(up, "up", ways["sftp-up"]),
    assertRate(down("sftp"), "down", ways["sftp-down"]),
  ]);
});
