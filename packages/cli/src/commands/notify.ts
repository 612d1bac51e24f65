import { loadForCommand } from "../configuration/load-for-command.ts";
import { validateTrigger } from "../configuration/plan-parts.ts";
import { listChannels } from "../notify/list-channels.ts";
import { testChannels } from "../notify/test-channels.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";

const ACTIONS = ["list", "test"] as const;

const DESCRIPTION = `List the channels of notifications, and try them.

  list                the channels of the configuration, what they are told,
                      and which plans tell them
  test [CHANNEL...]   send a message through each, now, whatever it wants to
                      hear of; tells of each what became of it

The exit code of \`test\` is 1 where a channel did not take the message.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("<action>", "list or test")
    .argument("[channel...]", "channels of the configuration; all of them if none is given")
    .action(
      run<object>(async (context, _flags, [given = "", ...names]) => {
        const action = parseChoice("the action of `notify`", given, ACTIONS);
        if (action === "list" && names.length > 0)
          throw badUsage("too many arguments", "name none");
        const { configurationPath } = context.globals;
        const { configuration } = await loadForCommand(context, configurationPath, validateTrigger);
        if (action === "test") return testChannels(context, configuration, names);
        return listChannels(context, configuration);
      }),
    );
};
