import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  ComebackError,
  type CommandRunner,
  decodeTextFile,
  displayText,
  isComebackError,
  messageOf,
  SECRET_COMMAND_TIMEOUT_MS,
  SECRET_MAX_BYTES,
} from "@comeback/core";
import type { SecretReference } from "./schema/values.ts";

/** Where secrets come from. */
export interface SecretWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly commands: CommandRunner;
  readonly signal: AbortSignal;
}

/** What container engines hand in: the container is its guard, and its mode is theirs to set. */
const CONTAINER_SECRETS = "/run/secrets/";
const OTHERS = 0o007;
const GROUP_AND_OTHERS = 0o077;

/**
 * The secret that a reference leads to; `what` names it in errors ("destinations.nas.password").
 * Rejects with `configuration.secret` where it is not there, is empty, or lies where others can read
 * it. No error ever holds the secret, nor anything that a program printed.
 */
export async function resolveSecret(
  reference: SecretReference,
  world: SecretWorld,
  what: string,
): Promise<string> {
  world.signal.throwIfAborted();
  const secret = await read(reference, world, what);
  if (secret !== "") return secret;
  throw unusable(what, `${referenceText(reference)} is empty`, "put the secret there");
}

/** Text as it is, or the secret that it refers to. */
export async function resolveText(
  given: string | SecretReference,
  world: SecretWorld,
  what: string,
): Promise<string> {
  return typeof given === "string" ? given : resolveSecret(given, world, what);
}

/** For people: "file /etc/comeback/key". Of a command, its program only. */
export function referenceText(reference: SecretReference): string {
  if ("env" in reference) return `the variable ${reference.env}`;
  if ("file" in reference) return `the file ${reference.file}`;
  if ("credential" in reference) return `the credential ${reference.credential}`;
  return `the command ${reference.command[0]}`;
}

async function read(reference: SecretReference, world: SecretWorld, what: string): Promise<string> {
  if ("env" in reference) {
    const value = world.env[reference.env];
    if (value !== undefined) return value;
    const next = `set ${reference.env}, for the daemon in its unit`;
    throw unusable(what, `the variable ${reference.env} is not set`, next);
  }
  if ("file" in reference) return readSecretFile(reference.file, what, { isGuarded: false });
  if ("credential" in reference) {
    const folder = world.env["CREDENTIALS_DIRECTORY"];
    if (folder !== undefined && folder !== "") {
      // systemd has made this folder for this unit alone.
      return readSecretFile(join(folder, reference.credential), what, { isGuarded: true });
    }
    const next = `start it from a systemd unit with LoadCredential=${reference.credential}:…`;
    throw unusable(what, "there are no credentials: CREDENTIALS_DIRECTORY is not set", next);
  }
  return runSecretCommand(reference.command, world, what);
}

async function readSecretFile(
  path: string,
  what: string,
  { isGuarded }: { readonly isGuarded: boolean },
): Promise<string> {
  const failed = (error: unknown): ComebackError =>
    unusable(what, `${path} cannot be read: ${messageOf(error)}`, "check the path and who you are");
  // A pipe without a writer would be waited for, for ever.
  await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw failed(error);
    },
  );
  // The file that was opened is the one that is judged and read.
  const status = await handle.stat();
  if (!status.isFile()) throw unusable(what, `${path} is no file`, "name a file");
  if (status.size > SECRET_MAX_BYTES) {
    throw unusable(what, `${path} is larger than a secret can be`, "name the right file");
  }
  if (!isGuarded && !path.startsWith(CONTAINER_SECRETS)) assertPrivate(path, status, what);
  try {
    return displayText(decodeTextFile(await handle.readFile())).trim();
  } catch (error) {
    throw failed(error);
  }
}

interface FileStatus {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** As ssh does with its keys: what others can read is no secret any more. */
function assertPrivate(path: string, { mode, uid, gid }: FileStatus, what: string): void {
  const me = process.geteuid?.() ?? 0;
  if (uid !== me && uid !== 0) {
    const next = `make it yours: chown ${me} ${path}`;
    throw unusable(what, `${path} belongs to somebody else (user ${uid})`, next);
  }
  // The group of root is root.
  const forbidden = uid === 0 && gid === 0 ? OTHERS : GROUP_AND_OTHERS;
  if ((mode & forbidden) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  const why = `${path} can be read or changed by others (mode ${shown})`;
  throw unusable(what, why, `run: chmod 600 ${path}`);
}

async function runSecretCommand(
  argv: readonly [string, ...string[]],
  { commands, signal }: SecretWorld,
  what: string,
): Promise<string> {
  const next = "run the command by hand, as the same user, and see what it says";
  try {
    const { exitCode, hasTimedOut, endedBy, stdout } = await commands.run({
      argv,
      signal,
      timeoutMs: SECRET_COMMAND_TIMEOUT_MS,
    });
    if (exitCode === 0 && stdout.length <= SECRET_MAX_BYTES) return stdout.trim();
    const how = hasTimedOut
      ? `did not end within ${SECRET_COMMAND_TIMEOUT_MS / 1000} seconds`
      : exitCode === 0
        ? "printed more than a secret can be"
        : `failed (${exitCode === null ? `ended by ${endedBy}` : `exit code ${exitCode}`})`;
    throw unusable(what, `the command ${argv[0]} ${how}`, next);
  } catch (error) {
    signal.throwIfAborted();
    if (isComebackError(error, "configuration.secret")) throw error;
    throw unusable(what, messageOf(error), next);
  }
}

function unusable(what: string, why: string, next: string): ComebackError {
  return new ComebackError("configuration.secret", `the secret ${what} cannot be had`, {
    why,
    next,
  });
}
