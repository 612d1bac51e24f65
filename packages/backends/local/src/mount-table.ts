import { readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { errorName } from "./file-system.ts";

/** One mount of this process's name space, as `/proc/self/mountinfo` lists it (proc(5)). */
export interface Mount {
  /** Where it is. */
  readonly point: string;
  readonly type: string;
  /** What is mounted: a device, `server:/path`, or a word of the file system's own. */
  readonly source: string;
}

/** All mounts, in the order in which they were made: the last at a place hides those before. */
export async function readMounts(): Promise<Mount[]> {
  return parseMounts(await readFile("/proc/self/mountinfo", "utf8"));
}

export function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [type = "", source = ""] = after.split(" ");
      return { point: unescape(before.split(" ")[4] ?? ""), type, source: unescape(source) };
    });
}

/** The mount that is to be seen at exactly this path, if one is. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts.findLast(({ point }) => point === path);
}

/** The mount that a path lies on. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const found = mountAt(mounts, path);
  return found ?? (path === "/" ? undefined : mountOf(mounts, dirname(path)));
}

/** The path without symlinks, as far as it exists; what comes behind stays as it is. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorName(error) !== "ENOENT" || dirname(path) === path) throw error;
    const parent = await realPathOf(dirname(path));
    return `${parent === "/" ? "" : parent}/${path.slice(path.lastIndexOf("/") + 1)}`;
  }
}

/** Blanks, tabs, newlines and backslashes stand as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
