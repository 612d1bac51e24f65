import { join } from "node:path";
import { openCatalog } from "@comeback/catalog";
import type { CatalogStore } from "@comeback/core";
import { stateFolder } from "@comeback/operations";
import type { Command } from "commander";
import type { CommandContext } from "../context.ts";

export interface CatalogFlags {
  readonly catalog?: string;
}

export function addCatalogOption(command: Command): Command {
  return command.option("--catalog <location>", "the catalog: a file, or a postgres:// URL");
}

/** Where the catalog is: as the option says, the environment, or in the state folder. */
export function catalogLocation({ env }: CommandContext, flags: CatalogFlags): string {
  return flags.catalog || env["COMEBACK_CATALOG"] || join(stateFolder(env), "catalog.sqlite");
}

/** The catalog of those who only look: one that is not there is not made. */
export function openCommandCatalog(
  context: CommandContext,
  flags: CatalogFlags,
): Promise<CatalogStore> {
  const { clock, signal } = context;
  return openCatalog(catalogLocation(context, flags), { clock, signal, create: false });
}
