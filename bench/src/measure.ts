import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One run of a whole process, by the operating system's own accounting (GNU time). */
export interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

export function measure(command: readonly string[], environment: Record<string, string>): Run {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const report = join(folder, "time");
  const log = openSync(join(folder, "log"), "w");
  try {
    const format = ["-f", "%e %U %S %M", "-o", report];
    const started = process.hrtime.bigint();
    const { status } = spawnSync("/usr/bin/time", [...format, ...command], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", log, log],
    });
    const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
    if (status !== 0) {
      const text = readFileSync(join(folder, "log"), "utf8").slice(-2000);
      throw new Error(`${command.join(" ")} ended with ${String(status)}:\n${text}`);
    }
    const numbers = readFileSync(report, "utf8").trim().split("\n").at(-1)?.split(" ").map(Number);
    const [, user = 0, system = 0, peak = 0] = numbers ?? [];
    return { wallSeconds, cpuSeconds: user + system, peakBytes: peak * 1024 };
  } finally {
    closeSync(log);
    rmSync(folder, { recursive: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
