import type { CommandModule } from "../program.ts";
import { showStatus } from "../status/show-status.ts";

const DESCRIPTION = `Answer "am I safe?" for every plan: the newest good state against what is allowed,
the copies and where they stand, the last proof, the next run, and what is open.

Looks at what was recorded, and at no repository. The exit code is 0 where all
plans are safe, 3 where something wants to be looked at, 1 where something is at
risk or not protected.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[plan...]", "plans of the configuration; all of them if none is given")
    .action(run<object>((context, _flags, names) => showStatus(context, names)));
};
