import {
  ComebackError,
  ExitCode,
  SFTP_CONNECTIONS,
  SFTP_CONNECTIONS_MAX,
  SFTP_PROCESSES_MAX,
} from "@comeback/core";
import type { Backend, BackendFactory, OpenBackendOptions } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { inLanes } from "./in-lanes.ts";
import { layoutFolders, modesFor, parentOf, pathOf, typeFolder } from "./layout.ts";
import { isFolder } from "./packet-reader.ts";
import { parseSftpLocation } from "./parse-location.ts";
import { syncFolder } from "./save-file.ts";
import { SessionPool } from "./session-pool.ts";
import { SftpBackend } from "./sftp-backend.ts";
import type { SftpBackendOptions } from "./sftp-backend.ts";
import { backendError } from "./sftp-errors.ts";
import { SftpSession } from "./sftp-session.ts";
import { hasStatus, SftpStatusError } from "./sftp-status-error.ts";
import { hasTerminal, sshCommandFor } from "./ssh-command.ts";

const FOLDERS_AT_ONCE = 64;

/** Repositories in a folder of a server that speaks SFTP, reached through the user's own ssh. */
export const sftpBackendFactory: BackendFactory = {
  scheme: "sftp",
  settings: {
    args: "further arguments for ssh, such as `-i KEY`",
    command: "the whole command to run instead of ssh",
    connections: `files that are read or written at once (default ${SFTP_CONNECTIONS})`,
  },
  create: (location, options) => reach(location, options, createLayout),
  open: (location, options) => reach(location, options, assertLayout),
  removeEmpty: (location, options) => removeEmptyLayout(location, options),
};

type Prepare = (session: SftpSession, backend: SftpBackendOptions) => Promise<void>;

async function reach(
  location: string,
  options: OpenBackendOptions = {},
  prepare: Prepare,
): Promise<Backend> {
  const { signal } = options;
  const place = parseSftpLocation(location);
  const connections = connectionsOf(options.settings);
  const pool = poolFor(location, options, Math.min(connections, SFTP_PROCESSES_MAX));
  const backend = { location, root: place.path, connections, pool, signal };
  try {
    await pool.use({ signal, isHeavy: false }, (session) => prepare(session, backend));
    return await SftpBackend.open(backend);
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    if (signal?.aborted === true && error === signal.reason) throw error;
    throw backendError({ doing: "opening the repository", path: place.path, location }, error);
  }
}

function poolFor(location: string, options: OpenBackendOptions, max: number): SessionPool {
  const { settings, clock = systemClock, env = process.env } = options;
  const command = sshCommandFor(parseSftpLocation(location), settings);
  const mayAsk = hasTerminal();
  return new SessionPool({
    location,
    max,
    // It asks once: nobody watches the terminal for a second question, hours later.
    start: (isFirst, stop) =>
      SftpSession.start({ command, env, mayAsk: mayAsk && isFirst, clock }, stop),
  });
}

function connectionsOf(settings: ReadonlyMap<string, string> | undefined): number {
  const text = settings?.get("connections");
  if (text === undefined) return SFTP_CONNECTIONS;
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= SFTP_CONNECTIONS_MAX) return number;
  throw new ComebackError("option.invalid", `sftp.connections cannot be ${JSON.stringify(text)}`, {
    next: `accepted: a number from 1 to ${SFTP_CONNECTIONS_MAX}`,
  });
}

async function assertLayout(session: SftpSession, { root, location }: Place): Promise<void> {
  const { client } = session;
  try {
    await client.stat(pathOf(root, { type: "config", name: "" }));
  } catch (error) {
    if (!hasStatus(error, "noSuchFile")) throw error;
    const isThere = await client.stat(root).then(isFolder, (cause: unknown) => {
      if (cause instanceof SftpStatusError) return false;
      throw cause;
    });
    throw noRepository(
      location,
      isThere ? "there is no file named config; is its disk mounted?" : "there is no such folder",
    );
  }
}

type Place = Pick<SftpBackendOptions, "root" | "location">;

function noRepository(location: string, why: string): ComebackError {
  return new ComebackError("repository.none", `there is no repository at ${location}`, {
    why,
    next: `check the path, or make a new repository with \`comeback -r ${location} init\``,
    exitCode: ExitCode.noRepository,
  });
}

/** Makes the empty layout, durably where the server can. */
async function createLayout(session: SftpSession, place: SftpBackendOptions): Promise<void> {
  const { root, location, signal } = place;
  const { client } = session;
  const config = await client.stat(pathOf(root, { type: "config", name: "" })).catch(ifStatus);
  if (config !== undefined) {
    throw new ComebackError("repository.exists", `there is already a repository at ${location}`, {
      next: "use it as it is, or choose another folder",
    });
  }
  const changed = new Set([root, typeFolder(root, "pack")]);
  await makeWithParents(session, root, changed);
  const { folder: mode } = modesFor(undefined);
  const folders = layoutFolders(root);
  // In order, and sent together: a server makes parents first.
  await inLanes({ count: folders.length, lanes: FOLDERS_AT_ONCE, signal }, async (index) => {
    await makeFolder(session, folders[index] ?? root, mode);
  });
  if (!client.has("fsync@openssh.com")) return;
  for (const folder of changed) await syncFolder(session, folder).catch(ifStatus);
}

/** Takes away the folders that `createLayout` made; a server keeps those with something in them. */
async function removeEmptyLayout(
  location: string,
  options: OpenBackendOptions = {},
): Promise<void> {
  const { signal } = options;
  const { path: root } = parseSftpLocation(location);
  const spreadAbove = typeFolder(root, "pack");
  const folders = layoutFolders(root);
  const isSpread = (folder: string): boolean => parentOf(folder) === spreadAbove;
  // What is in others goes first.
  const stages = [folders.filter(isSpread), folders.filter((folder) => !isSpread(folder)), [root]];
  await using pool = poolFor(location, options, 1);
  try {
    await pool.use({ signal, isHeavy: false }, async ({ client }) => {
      for (const stage of stages) {
        await inLanes({ count: stage.length, lanes: FOLDERS_AT_ONCE, signal }, async (index) => {
          await client.removeFolder(stage[index] ?? root).catch(ifStatus);
        });
      }
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw backendError({ doing: "removing the empty folders", path: root, location }, error);
  }
}

async function makeWithParents(
  session: SftpSession,
  folder: string,
  changed: Set<string>,
): Promise<void> {
  const found = await session.client.stat(folder === "" ? "." : folder).catch(ifStatus);
  if (found !== undefined) {
    if (isFolder(found)) return;
    throw new ComebackError("repository.none", `${folder} is not a folder`, {
      next: "choose another path for the repository",
      exitCode: ExitCode.noRepository,
    });
  }
  const parent = parentOf(folder);
  if (parent !== folder) await makeWithParents(session, parent, changed);
  await makeFolder(session, folder, modesFor(undefined).folder);
  changed.add(parent);
}

/** Version 3 has no word for "is there already": it is a failure like any other. */
async function makeFolder(session: SftpSession, folder: string, mode: number): Promise<void> {
  try {
    await session.client.makeFolder(folder, mode);
  } catch (error) {
    if (!hasStatus(error, "failure")) throw error;
    const found = await session.client.stat(folder).catch(ifStatus);
    if (found === undefined || !isFolder(found)) throw error;
  }
}

function ifStatus(error: unknown): undefined {
  if (hasStatus(error, "noSuchFile", "failure", "unsupported", "badMessage")) return undefined;
  throw error;
}
