import {
  PROBE_LATENCY_CALLS,
  PROBE_SPEED_FILE_BYTES,
  PROBE_SPEED_MAX_BYTES,
  PROBE_SPEED_MIN_MS,
  PROBE_SPEED_MORE_FILES_MAX,
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
  const files = Array.from({ length: PROBE_LATENCY_CALLS }, () => {
    const data = newData(SMALL_FILE_BYTES);
    return { file: newFile("lock", data), data };
  });
  type Call = (file: RepositoryFile, data: Uint8Array) => Promise<unknown>;
  const each = async (call: Call): Promise<Latency> => {
    const times: number[] = [];
    for (const { file, data } of files) {
      const startMs = performance.now();
      await call(file, data);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const at = (part: number): number => times[Math.ceil(times.length * part) - 1] ?? 0;
    return { medianMs: at(0.5), p95Ms: at(0.95) };
  };
  return {
    save: await each((file, data) => backend.save(file, data)),
    load: await each((file) => backend.load(file)),
    stat: await each((file) => backend.stat(file)),
    remove: await each((file) => backend.remove(file)),
  };
}

/** Packs go up and come down again, over so many connections, for a few seconds or 128 MiB. */
export async function measureSpeed(stage: CheckStage, connections: number): Promise<Speed> {
  const { backend, newFile, newData } = stage;
  // Made before the time runs.
  const more = Math.min(connections, PROBE_SPEED_MORE_FILES_MAX);
  const count = Math.ceil(PROBE_SPEED_MAX_BYTES / PROBE_SPEED_FILE_BYTES) + more;
  const packs = Array.from({ length: count }, () => {
    const data = newData(PROBE_SPEED_FILE_BYTES);
    return { file: newFile("pack", data), data };
  });
  const stored: RepositoryFile[] = [];
  const uploadBytesPerSecond = await bytesPerSecond(connections, async () => {
    const pack = packs.pop();
    if (pack === undefined) return false;
    await backend.save(pack.file, pack.data);
    stored.push(pack.file);
    return true;
  });
  let next = 0;
  const downloadBytesPerSecond = await bytesPerSecond(connections, async () => {
    await backend.load(stored[next++ % stored.length]!);
    return true;
  });
  for (const file of stored) await backend.remove(file);
  return { connections, uploadBytesPerSecond, downloadBytesPerSecond };
}

/** `move` moves one file, and resolves to false where there is none left. */
async function bytesPerSecond(connections: number, move: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  let bytes = 0;
  const connection = async (): Promise<void> => {
    do {
      if (!(await move())) return;
      bytes += PROBE_SPEED_FILE_BYTES;
    } while (bytes < PROBE_SPEED_MAX_BYTES && performance.now() - startMs < PROBE_SPEED_MIN_MS);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return (bytes * 1000) / Math.max(1, performance.now() - startMs);
}
