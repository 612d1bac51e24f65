import { openCatalog } from "@comeback/catalog";
import type { CatalogStore } from "@comeback/core";
import type { Configuration } from "@comeback/operations";
import { configuredCatalog } from "../catalog/open-command-catalog.ts";
import { hostOf } from "../configuration/host-of.ts";
import type { CommandContext } from "../context.ts";

/** The catalog that runs write, and that those read who have the configuration. */
export async function openRunCatalog(
  context: CommandContext,
  configuration: Pick<Configuration, "catalog" | "state" | "host">,
  create = true,
): Promise<CatalogStore> {
  const { clock, env, signal } = context;
  const location = env["COMEBACK_CATALOG"] || (await configuredCatalog(context, configuration));
  return openCatalog(location, { host: hostOf(configuration), clock, signal, create });
}
