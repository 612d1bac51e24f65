import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Finding } from "@comeback/core";
import type { PlanSettings, SourceSettings } from "@comeback/operations";
import { failed, failedBy, passed, unknown } from "./findings.ts";
import type { CheckWish } from "./plan-parts.ts";

/** Whether each source of a plan could be captured now, and frozen where it is to be. */
export async function checkSources(wish: CheckWish, plan: PlanSettings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, settings] of Object.entries(plan.sources)) {
    const own = await checkSource(wish, settings).catch((error: unknown) => {
      wish.context.signal.throwIfAborted();
      return [failedBy(settings.kind, error)];
    });
    findings.push(
      ...own.map((finding) => ({ ...finding, subject: `${name}: ${finding.subject}` })),
    );
  }
  return findings;
}

async function checkSource(wish: CheckWish, settings: SourceSettings): Promise<Finding[]> {
  const { context, parts } = wish;
  const { signal } = context;
  const source = parts.makeSource?.(settings);
  const found = source === undefined ? await lookAt(settings) : await source.probe({ signal });
  if (settings.snapshot === undefined) return found;
  const paths = source?.paths ?? pathsOf(settings);
  return [...found, ...(await checkSnapshot(wish, settings.snapshot, paths))];
}

async function checkSnapshot(
  { context, loaded, parts }: CheckWish,
  name: string,
  paths: readonly string[],
): Promise<Finding[]> {
  const settings = loaded.configuration.snapshotters[name]!;
  const snapshotter = parts.makeSnapshotter?.(settings);
  if (snapshotter === undefined) return [unknown(name, "this snapshotter cannot be looked at")];
  return snapshotter.probe({ paths, signal: context.signal });
}

/** What can be said of a source without its adapter: whether its paths can be read. */
async function lookAt(settings: SourceSettings): Promise<Finding[]> {
  const paths = pathsOf(settings);
  if (paths.length > 0) return Promise.all(paths.map(checkPath));
  return [unknown(settings.kind, "this kind of source cannot be looked at before it runs")];
}

function pathsOf(settings: SourceSettings): readonly string[] {
  const has = settings.kind === "files" || settings.kind === "configuration";
  return has ? settings.settings.paths : [];
}

async function checkPath(path: string): Promise<Finding> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const { R_OK, X_OK } = constants;
    await access(path, isFolder ? R_OK | X_OK : R_OK);
    return passed(path, isFolder ? "the folder can be read" : "the file can be read");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      return failed(path, "is not there", "check the path, and what is mounted");
    if (code === "EACCES") return failed(path, "may not be read", "run it as a user who may");
    return failedBy(path, error);
  }
}
