import { join } from "node:path";
import { openCatalog } from "@comeback/catalog";
import { type CatalogStore, isComebackError } from "@comeback/core";
import { type Configuration, resolveText, stateFolder } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { Command } from "commander";
import { hostOf } from "../configuration/host-of.ts";
import { loadForCommand } from "../configuration/load-for-command.ts";
import type { CommandContext } from "../context.ts";
import { printableText } from "../terminal/printable.ts";

export interface CatalogFlags {
  readonly catalog?: string;
}

export function addCatalogOption(command: Command): Command {
  return command.option("--catalog <location>", "the catalog: a file, or a postgres:// URL");
}

/**
 * Where the catalog is (as the option, the environment or the configuration says, or in the state
 * folder), and whose records are meant.
 */
export async function commandCatalog(
  context: CommandContext,
  flags: CatalogFlags = {},
): Promise<{ readonly location: string; readonly host: string }> {
  const named = flags.catalog || context.env["COMEBACK_CATALOG"];
  const configuration = await configurationIfAny(context, { isNeeded: !named });
  const location = named || (await configuredCatalog(context, configuration));
  return { location, host: hostOf(configuration) };
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

/**
 * Looking at what was recorded must work where there is no configuration (any more), and where a
 * mistake in it has nothing to do with the question.
 */
async function configurationIfAny(
  context: CommandContext,
  { isNeeded }: { readonly isNeeded: boolean },
): Promise<Configuration | undefined> {
  try {
    const loaded = await loadForCommand(context, context.globals.configurationPath);
    return loaded.configuration;
  } catch (error) {
    if (isComebackError(error, "configuration.missing")) return undefined;
    if (isNeeded || !isComebackError(error, "configuration.invalid")) throw error;
    const whose = `what is recorded of ${hostOf(undefined)} is shown`;
    context.terminal.printError(`warning: ${printableText(error.message)}; ${whose}`);
    return undefined;
  }
}

/** The catalog of those who only look: one that is not there is not made. */
export async function openCommandCatalog(
  context: CommandContext,
  flags: CatalogFlags = {},
): Promise<CatalogStore> {
  const { clock, signal } = context;
  const { location, host } = await commandCatalog(context, flags);
  return openCatalog(location, { host, clock, signal, create: false });
}
