import { isRepositoryFileName, SFTP_FOLDERS_IN_FLIGHT_MAX } from "@comeback/core";
import type { FileType, ListedFile } from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import { below, typeFolder } from "./layout.ts";
import { isRegularFile, isSymlink } from "./packet-reader.ts";
import type { FileAttributes } from "./packet-reader.ts";
import type { ListedName } from "./sftp-client.ts";
import type { SftpSession } from "./sftp-session.ts";
import { hasStatus } from "./sftp-status-error.ts";

export interface ListRequest {
  readonly root: string;
  readonly type: FileType;
  readonly signal: AbortSignal | undefined;
  use<T>(perform: (session: SftpSession) => Promise<T>): Promise<T>;
}

/** The files of one type; whatever else lies in their folders is passed over. */
export async function* listFiles(request: ListRequest): AsyncGenerator<ListedFile> {
  const { root, type, use } = request;
  const folder = typeFolder(root, type);
  if (type === "config") {
    const config = await use((session) => followed(session, below(folder, "config"), ""));
    if (config !== undefined) yield config;
  } else if (type === "pack") {
    yield* listSpread(request, folder);
  } else {
    yield* await use((session) => listFolder(request, session, folder, ""));
  }
}

/** The 256 folders of packs, many at once: each takes three answers of the server, and waits. */
async function* listSpread(request: ListRequest, data: string): AsyncGenerator<ListedFile> {
  const { use, signal } = request;
  const names = await use((session) => namesIn(session, data));
  // A pack in the folder of others cannot be loaded, so it is not listed either.
  const folders = names.map(({ name }) => name).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (let done = 0; done < folders.length; done += SFTP_FOLDERS_IN_FLIGHT_MAX) {
    const some = folders.slice(done, done + SFTP_FOLDERS_IN_FLIGHT_MAX);
    const listed: ListedFile[][] = [];
    await use((session) =>
      inLanes({ count: some.length, lanes: some.length, signal }, async (index) => {
        const name = some[index] ?? "";
        listed.push(await listFolder(request, session, below(data, name), name));
      }),
    );
    for (const files of listed) yield* files;
  }
}

async function listFolder(
  request: ListRequest,
  session: SftpSession,
  folder: string,
  prefix: string,
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for (const { name, attributes } of await namesIn(session, folder)) {
    request.signal?.throwIfAborted();
    if (isRepositoryFileName(name) && name.startsWith(prefix)) {
      const file = await listed(session, { path: below(folder, name), name, attributes });
      if (file !== undefined) files.push(file);
    }
  }
  return files;
}

async function listed(
  session: SftpSession,
  entry: { path: string; name: string; attributes: FileAttributes },
): Promise<ListedFile | undefined> {
  const { path, name, attributes } = entry;
  const { mode, sizeBytes } = attributes;
  if (mode === undefined || sizeBytes === undefined || isSymlink(attributes)) {
    return await followed(session, path, name);
  }
  return isRegularFile(attributes) ? { name, sizeBytes } : undefined;
}

async function followed(
  session: SftpSession,
  path: string,
  name: string,
): Promise<ListedFile | undefined> {
  try {
    const attributes = await session.client.stat(path);
    const { sizeBytes } = attributes;
    return isRegularFile(attributes) && sizeBytes !== undefined ? { name, sizeBytes } : undefined;
  } catch (error) {
    // Removed by another process since the folder was read.
    if (hasStatus(error, "noSuchFile")) return undefined;
    throw error;
  }
}

/** A folder that is not there is empty: copies through an object store come back without such. */
export async function namesIn(session: SftpSession, folder: string): Promise<ListedName[]> {
  const { client } = session;
  let handle: Uint8Array;
  try {
    handle = await client.openFolder(folder);
  } catch (error) {
    if (hasStatus(error, "noSuchFile")) return [];
    throw error;
  }
  try {
    const names: ListedName[] = [];
    // The second is most often the one that says "no more": asked for at once, it costs no time.
    for (let more = true; more;) {
      const answers = await Promise.all([client.readFolder(handle), client.readFolder(handle)]);
      for (const answer of answers) {
        if (answer === undefined) more = false;
        else for (const entry of answer) names.push(entry);
      }
    }
    return names;
  } finally {
    void client.close(handle).catch(() => undefined);
  }
}
