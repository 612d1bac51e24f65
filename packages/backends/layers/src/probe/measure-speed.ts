import {
  PROBE_LATENCY_CALLS,
  PROBE_SPEED_FILE_BYTES,
  PROBE_SPEED_MAX_BYTES,
  PROBE_SPEED_MIN_MS,
  type RepositoryFile,
} from "@comeback/core";
import type { CheckStage } from "./check-stage.ts";

export interface Latency {
  readonly medianMs: number;
  /** 19 of 20 calls take no longer. */
  readonly p95Ms: number;
}

export interface Latencies {
  readonly save: Latency;
  readonly load: Latency;
  readonly stat: Latency;
  readonly remove: Latency;
}

export interface Speed {
  readonly connections: number;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
}

const SMALL_FILE_BYTES = 200;

/** How long calls about small files take, one after the other. */
export async function measureLatencies(stage: CheckStage): Promise<Latencies> {
  const { backend, newFile, newData } = stage;
  const files = Array.from({ length: PROBE_LATENCY_CALLS }, () => newFile("lock"));
  const data = newData(SMALL_FILE_BYTES);
  const each = async (call: (file: RepositoryFile) => Promise<unknown>): Promise<Latency> => {
    const times: number[] = [];
    for (const file of files) {
      const startMs = performance.now();
      await call(file);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const at = (part: number): number => times[Math.ceil(times.length * part) - 1] ?? 0;
    return { medianMs: at(0.5), p95Ms: at(0.95) };
  };
  return {
    save: await each((file) => backend.save(file, data)),
    load: await each((file) => backend.load(file)),
    stat: await each((file) => backend.stat(file)),
    remove: await each((file) => backend.remove(file)),
  };
}

/** Packs go up and come down again, over so many connections, for a few seconds or 128 MiB. */
export async function measureSpeed(stage: CheckStage, connections: number): Promise<Speed> {
  const { backend, newFile, newData } = stage;
  const data = newData(PROBE_SPEED_FILE_BYTES);
  const stored: RepositoryFile[] = [];
  const uploadBytesPerSecond = await bytesPerSecond(connections, async () => {
    const file = newFile("pack");
    await backend.save(file, data);
    stored.push(file);
  });
  let next = 0;
  const downloadBytesPerSecond = await bytesPerSecond(connections, async () => {
    await backend.load(stored[next++ % stored.length]!);
  });
  for (const file of stored) await backend.remove(file);
  return { connections, uploadBytesPerSecond, downloadBytesPerSecond };
}

async function bytesPerSecond(connections: number, move: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  let bytes = 0;
  const connection = async (): Promise<void> => {
    do {
      await move();
      bytes += PROBE_SPEED_FILE_BYTES;
    } while (bytes < PROBE_SPEED_MAX_BYTES && performance.now() - startMs < PROBE_SPEED_MIN_MS);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return (bytes * 1000) / Math.max(1, performance.now() - startMs);
}
