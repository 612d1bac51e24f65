import { existsSync } from "node:fs";
import type { OptionValues } from "commander";
import { isComebackError } from "@comeback/core";
import type { LoadedConfiguration } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { destinationContext } from "./destination-context.ts";
import { loadForCommand } from "./load-for-command.ts";

/**
 * The context for a word in the place of a repository's location: of the destination of that name,
 * where the configuration has one. Flags of the command line beat what the destination says. A word
 * that is a folder as well is refused: a backup into the wrong one of two would be found out much
 * too late.
 */
export async function contextByName(
  context: CommandContext,
  word: string,
  flags: OptionValues,
): Promise<CommandContext | undefined> {
  const isFolder = existsSync(word);
  const loaded = await load(context, isFolder);
  if (loaded === undefined || !Object.hasOwn(loaded.configuration.destinations, word)) {
    return undefined;
  }
  if (isFolder) {
    const what = `"${word}" is a destination of ${loaded.files[0]}, and a folder here`;
    throw badUsage(what, `write ./${word} for the folder, or run it elsewhere for the destination`);
  }
  const named = await destinationContext(context, loaded, word);
  return { ...named, globals: withFlags(named.globals, context.globals, flags) };
}

/** Where a folder of that name is there, a configuration that is broken is no reason to refuse it. */
async function load(
  context: CommandContext,
  isFolder: boolean,
): Promise<LoadedConfiguration | undefined> {
  try {
    return await loadForCommand(context, context.globals.configurationPath);
  } catch (error) {
    const isBroken =
      isComebackError(error, "configuration.invalid") ||
      isComebackError(error, "configuration.missing");
    if (isBroken && isFolder) return undefined;
    throw error;
  }
}

function withFlags(named: GlobalOptions, given: GlobalOptions, flags: OptionValues): GlobalOptions {
  const has = (...names: string[]): boolean => names.some((name) => flags[name] !== undefined);
  const { storage } = given;
  return {
    ...named,
    ...(has("repoHot") ? { hotRepository: given.hotRepository } : {}),
    ...(has("passwordFile", "passwordCommand") ? { password: given.password } : {}),
    ...(has("retryLock") ? { retryLockMs: given.retryLockMs } : {}),
    ...(has("compression") ? { compression: given.compression } : {}),
    ...(has("packSize") ? { packSizeBytes: given.packSizeBytes } : {}),
    storage: {
      ...named.storage,
      // The last of a name counts.
      settings: [...named.storage.settings, ...storage.settings],
      limits: {
        ...named.storage.limits,
        ...(has("limitUpload")
          ? { uploadBytesPerSecond: storage.limits.uploadBytesPerSecond }
          : {}),
        ...(has("limitDownload")
          ? { downloadBytesPerSecond: storage.limits.downloadBytesPerSecond }
          : {}),
      },
      hasSeveralRepositories:
        named.storage.hasSeveralRepositories || storage.hasSeveralRepositories,
    },
  };
}
