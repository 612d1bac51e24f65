/**
 * What latency costs: first backups of the same data into the same kind of place, directly and with
 * every answer so much later, in turn. A proxy on this machine adds the latency; credentials come
 * from the environment.
 *
 *   node bench/src/latency.ts --url s3:http://127.0.0.1:7480/bench --option s3.connections=32
 */
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { FaultProxy } from "@comeback/testkit";
import { median } from "./measure.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    megabytes: { type: "string", default: "300" },
    "latency-ms": { type: "string", default: "200" },
    pairs: { type: "string", default: "3" },
    option: { type: "string", multiple: true, default: [] },
    work: { type: "string", default: "/dev/shm/comeback-bench" },
    comeback: { type: "string" },
  },
});

interface LatencyRun {
  readonly seconds: number;
  readonly peakBytes: number;
}

const { url } = values;
const place = /^(.*http:\/\/)([^/:]+):(\d+)(\/.*)$/.exec(url ?? "");
if (place === null) throw new Error("--url is missing: a place on a server without TLS");
const [, before = "", host = "", port = "", path = ""] = place;
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = values.comeback ?? `${root}dist/comeback/bin/comeback`;
const folder = join(values.work, "latency");
const source = join(folder, "source");
rmSync(folder, { recursive: true, force: true });
mkdirSync(source, { recursive: true });
for (let file = 0; file < Number(values.megabytes) / 50; file++) {
  writeFileSync(join(source, `random-${file}`), randomBytes(50e6));
}

/** Not `measure`, which waits for the program: the proxy is in this process and has work to do. */
async function run(...parameters: string[]): Promise<LatencyRun> {
  const report = join(folder, "time");
  const options = values.option.flatMap((option) => ["-o", option]);
  const args = ["-o", report, "-f", "%e %M", program, ...options, ...parameters];
  const env = { ...process.env, RESTIC_PASSWORD: "bench", XDG_CACHE_HOME: join(folder, "cache") };
  const child = spawn("/usr/bin/time", args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const [exitCode] = (await once(child, "close")) as [number | null];
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  const [seconds = 0, peakKiB = 0] = readFileSync(report, "utf8").trim().split(" ").map(Number);
  return { seconds, peakBytes: peakKiB * 1024 };
}

async function backup(throughPort: number): Promise<LatencyRun> {
  const repository = `${before}${host}:${throughPort}${path}/latency-${randomUUID()}`;
  await run("-r", repository, "init");
  return run("-r", repository, "backup", source);
}

await using proxy = await FaultProxy.start({ port: Number(port), host });
const near: LatencyRun[] = [];
const far: LatencyRun[] = [];
for (let pair = 0; pair < Number(values.pairs); pair++) {
  // Through the proxy both times, which costs something itself.
  proxy.always();
  near.push(await backup(proxy.port));
  const latencyMs = Number(values["latency-ms"]) / 2;
  proxy.always({ up: { latencyMs }, down: { latencyMs } });
  far.push(await backup(proxy.port));
  process.stderr.write(`pair ${pair + 1} done\n`);
}
rmSync(folder, { recursive: true, force: true });

console.log("| latency | first backup | throughput | memory |");
console.log("| --- | --- | --- | --- |");
for (const [name, runs] of [
  ["none", near],
  [`${values["latency-ms"]} ms`, far],
] as const) {
  const seconds = median(runs.map((one) => one.seconds));
  const rate = `${(Number(values.megabytes) / seconds).toFixed(1)} MB/s`;
  const peak = `${(Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 1e6).toFixed(0)} MB`;
  console.log(`| ${name} | ${seconds.toFixed(2)} s | ${rate} | ${peak} |`);
}
const kept = far.map(({ seconds }, pair) => near[pair]!.seconds / seconds);
const percent = (ratio: number): string => (ratio * 100).toFixed(0);
const spread = `${percent(Math.min(...kept))}–${percent(Math.max(...kept))}`;
console.log(`\nthroughput kept: ${percent(median(kept))} % (${spread})`);
