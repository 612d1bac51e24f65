import { isComebackError } from "@comeback/core";
import { stateFolder } from "@comeback/operations";
import { loadForCommand } from "../configuration/load-for-command.ts";
import type { CommandContext } from "../context.ts";

/** Where runs keep their journals; the usual place where there is no configuration (any more). */
export async function stateFolderFor(context: CommandContext): Promise<string> {
  try {
    const { configuration } = await loadForCommand(context, context.globals.configurationPath);
    return configuration.state ?? stateFolder(context.env);
  } catch (error) {
    if (!isComebackError(error, "configuration.missing")) throw error;
    return stateFolder(context.env);
  }
}
