import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError, ExitCode, isComebackError } from "@comeback/core";
import type { CommandContext } from "../context.ts";
import { isFolderLocation, repositoryLocation } from "../opening/find-backend.ts";
import { openBackend } from "../opening/open-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";
import { isPlainWord } from "../options/places.ts";
import { type ConfigCopy, findConfigCopy } from "./config-copies.ts";

/**
 * Says of a repository without a config that it is one, where a migration was cut off, and of a word
 * that it is no destination's name either.
 */
export async function explainNoRepository(
  error: unknown,
  location: string,
  context: CommandContext,
): Promise<unknown> {
  if (!isComebackError(error, "repository.none")) return error;
  const copy = await findConfigCopy(context.env, location);
  if (copy === undefined)
    return isPlainWord(location) ? noSuchWord(error, location, context) : error;
  return new ComebackError(
    "repository.no-config",
    `${redactLocation(location)} has no config file`,
    {
      why: "a migration was cut off while it replaced that file; nothing else is missing",
      next: `run \`comeback migrate upgrade_repo_v2\` again, or copy ${copy.path} to the repository's \`config\``,
      exitCode: ExitCode.noRepository,
      cause: error,
    },
  );
}

/** A word that nobody knows: most often a letter of a destination's name is wrong. */
async function noSuchWord(
  cause: ComebackError,
  word: string,
  context: CommandContext,
): Promise<ComebackError> {
  const { findConfiguration } = await import("@comeback/operations/find-configuration");
  const { env, signal, globals } = context;
  const place = { path: globals.configurationPath, env };
  if ((await findConfiguration(place)) === undefined) return cause;
  const { loadConfiguration, nearest } = await import("@comeback/operations");
  const loaded = await loadConfiguration({ ...place, signal }).catch(() => undefined);
  const names = Object.keys(loaded?.configuration.destinations ?? {});
  if (names.length === 0) return cause;
  const near = nearest(word, names);
  return new ComebackError("repository.none", `"${word}" names no repository`, {
    why: `it is no destination of ${loaded?.files[0]}, and as a folder`,
    next: near === undefined ? `there is ${names.join(", ")}` : `did you mean "${near}"?`,
    exitCode: cause.exitCode,
    cause,
  });
}

/** Puts a config back that an interrupted migration had taken away; true where there was one. */
export async function restoreLostConfig(context: CommandContext): Promise<boolean> {
  const location = await repositoryLocation(context.globals);
  const copy = await findConfigCopy(context.env, location);
  if (copy === undefined) return false;
  try {
    await using _whole = await openBackend(context, location);
    return false;
  } catch (error) {
    if (!isComebackError(error, "repository.none")) throw error;
  }
  // To open it without a config makes folders: not on a mount point that is bare now.
  if (isFolderLocation(location) && !(await isSamePlace(copy))) return false;
  // A folder without a config cannot be opened; to make one keeps what is there.
  await using backend = await openBackend(context, location, "create");
  const keys = await Array.fromAsync(backend.list("key"));
  if (!keys.some(({ name }) => copy.about.keys.includes(name))) return false;
  await backend.save({ type: "config", name: "" }, await readFile(copy.path));
  return true;
}

/** Nothing may be mounted there now, or another disk: the keys tell. */
async function isSamePlace({ about }: ConfigCopy): Promise<boolean> {
  const names = await readdir(join(about.location, "keys")).catch(() => []);
  return names.some((name) => about.keys.includes(name));
}
