import type { CommandModule } from "../program.ts";
import { showAllHosts } from "../status/show-all-hosts.ts";
import { showStatus } from "../status/show-status.ts";

const DESCRIPTION = `Answer "am I safe?" for every plan: the newest good state against what is allowed,
the copies and where they stand, the last proof, the next run, and what is open.

Looks at what was recorded, and at no repository. The exit code is 0 where all
plans are safe, 3 where something wants to be looked at, 1 where something is at
risk or not protected.

--all-hosts shows what the catalog has of the plans of every host: 1 where a last
run did not end well, 3 where one warned or was missed.`;

interface StatusFlags {
  readonly allHosts?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[plan...]", "plans of the configuration; all of them if none is given")
    .option("--all-hosts", "of every host in the catalog")
    .action(
      run<StatusFlags>((context, { allHosts }, names) =>
        allHosts === true ? showAllHosts(context, names) : showStatus(context, names),
      ),
    );
};
