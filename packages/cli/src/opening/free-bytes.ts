import { statfs } from "node:fs/promises";
import { isFolderLocation } from "./find-backend.ts";

/** What is free where a repository lies; `undefined` for storage that does not tell. */
export async function freeBytesAt(location: string): Promise<number | undefined> {
  if (!isFolderLocation(location)) return undefined;
  const { bavail, bsize } = await statfs(location.replace(/^local:/, ""));
  return bavail * bsize;
}
