import { join } from "node:path";
import { openCatalog } from "@comeback/catalog";
import { type CatalogStore, isComebackError } from "@comeback/core";
import { type Configuration, resolveText, stateFolder } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { Command } from "commander";
import { loadForCommand } from "../configuration/load-for-command.ts";
import type { CommandContext } from "../context.ts";

export interface CatalogFlags {
  readonly catalog?: string;
}

export function addCatalogOption(command: Command): Command {
  return command.option("--catalog <location>", "the catalog: a file, or a postgres:// URL");
}

/** Where the catalog is: as the option, the environment or the configuration says, or in the state folder. */
export async function catalogLocation(
  context: CommandContext,
  flags: CatalogFlags = {},
): Promise<string> {
  const { env } = context;
  const named = flags.catalog || env["COMEBACK_CATALOG"];
  return named || configuredCatalog(context, await configurationIfAny(context));
}

/** The catalog that the configuration names, or the one in its state folder. */
export async function configuredCatalog(
  { env, signal }: CommandContext,
  configuration: Pick<Configuration, "catalog" | "state"> | undefined,
): Promise<string> {
  const { catalog, state } = configuration ?? {};
  if (catalog === undefined) return join(state ?? stateFolder(env), "catalog.sqlite");
  return resolveText(catalog, { env, commands: systemCommandRunner, signal }, "catalog");
}

/** Looking at what was recorded must work where there is no configuration (any more). */
async function configurationIfAny(context: CommandContext): Promise<Configuration | undefined> {
  try {
    const loaded = await loadForCommand(context, context.globals.configurationPath);
    return loaded.configuration;
  } catch (error) {
    if (isComebackError(error, "configuration.missing")) return undefined;
    throw error;
  }
}

/** The catalog of those who only look: one that is not there is not made. */
export async function openCommandCatalog(
  context: CommandContext,
  flags: CatalogFlags = {},
): Promise<CatalogStore> {
  const { clock, signal } = context;
  const location = await catalogLocation(context, flags);
  return openCatalog(location, { clock, signal, create: false });
}
