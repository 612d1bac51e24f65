import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Metric, renderMetrics } from "./metric.ts";

/**
 * Writes the metrics where node_exporter's textfile collector finds them. Whoever reads sees the old
 * file or the new one. Not fsynced: after a crash of the machine it is written anew anyway.
 */
export async function writeMetricsTextfile(
  path: string,
  metrics: readonly Metric[],
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  // The collector reads *.prom only: a name that ends otherwise is not looked at.
  const temporary = join(folder, `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(renderMetrics(metrics));
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
