import {
  FILE_TYPES,
  isTemporaryFileName,
  LEFT_OVERS_FOUND_MAX,
  SFTP_FOLDERS_IN_FLIGHT_MAX,
} from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import { below, typeFolder } from "./layout.ts";
import { namesIn } from "./list-files.ts";
import { isRegularFile } from "./packet-reader.ts";
import type { FileAttributes } from "./packet-reader.ts";
import type { SftpSession } from "./sftp-session.ts";
import { hasStatus } from "./sftp-status-error.ts";

/** A temporary file of a save, as a server shows it. */
export interface FoundTemporary {
  readonly path: string;
  readonly sizeBytes: number;
  /** Unix seconds. */
  readonly mtime: number;
}

/** Every temporary file of a save of ours in the folders of a repository, up to a bound. */
export async function findTemporaries(
  session: SftpSession,
  root: string,
  signal: AbortSignal | undefined,
): Promise<FoundTemporary[]> {
  const data = typeFolder(root, "pack");
  const spread = (await namesIn(session, data))
    .filter(({ name }) => /^[0-9a-f]{2}$/.test(name))
    .map(({ name }) => below(data, name));
  const others = FILE_TYPES.filter((type) => type !== "pack");
  const folders = [...others.map((type) => typeFolder(root, type)), ...spread];
  const found: FoundTemporary[] = [];
  const lanes = { count: folders.length, lanes: SFTP_FOLDERS_IN_FLIGHT_MAX, signal };
  await inLanes(lanes, async (index) => {
    const folder = folders[index] ?? root;
    for (const { name, attributes } of await namesIn(session, folder)) {
      const temporary = isTemporaryFileName(name) && temporaryOf(below(folder, name), attributes);
      if (temporary && found.length < LEFT_OVERS_FOUND_MAX) found.push(temporary);
    }
  });
  return found;
}

/** Removes it, unless it was written to since it was found. */
export async function removeTemporary(
  { client }: SftpSession,
  { path, sizeBytes, mtime }: FoundTemporary,
): Promise<void> {
  try {
    const now = temporaryOf(path, await client.lstat(path));
    if (now?.mtime === mtime && now.sizeBytes === sizeBytes) await client.remove(path);
  } catch (error) {
    if (!hasStatus(error, "noSuchFile")) throw error;
  }
}

function temporaryOf(path: string, attributes: FileAttributes): FoundTemporary | undefined {
  const { sizeBytes, mtime } = attributes;
  const isKnown = isRegularFile(attributes) && sizeBytes !== undefined && mtime !== undefined;
  return isKnown ? { path, sizeBytes, mtime } : undefined;
}
