import { join } from "node:path";
import { openCatalog } from "@comeback/catalog";
import type { CatalogStore } from "@comeback/core";
import { type Configuration, resolveText } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { CommandContext } from "../context.ts";

/** The catalog that the configuration names, or the one in the state folder. */
export async function openRunCatalog(
  { clock, env, signal }: CommandContext,
  { catalog }: Pick<Configuration, "catalog">,
  stateFolder: string,
  create = true,
): Promise<CatalogStore> {
  const world = { env, commands: systemCommandRunner, signal };
  const location =
    catalog === undefined
      ? env["COMEBACK_CATALOG"] || join(stateFolder, "catalog.sqlite")
      : await resolveText(catalog, world, "catalog");
  return openCatalog(location, { clock, signal, create });
}
