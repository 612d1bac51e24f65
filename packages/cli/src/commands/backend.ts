import { ExitCode } from "@comeback/core";
import { testBackend } from "../backend-test/test-backend.ts";
import {
  backendTestMessage,
  endangersData,
  renderBackendTest,
  renderTestStart,
} from "../backend-test/render-backend-test.ts";
import { repositoryLocation } from "../opening/find-backend.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";

interface BackendFlags {
  readonly objectLock?: true;
  readonly speed: boolean;
}

const DESCRIPTION = `Find out whether a storage does what backups rely on, and how fast it is.

\`comeback backend test LOCATION\` works in a new folder below LOCATION, which it
removes again; a repository that is there is not touched. It sends and receives
up to about 700 MiB. The exit code is 1 where backups on it would be in danger,
and where something could not be found out.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("<action>", "test")
    .argument("[location]", "where, written as for --repo; that one if not given")
    .option("--no-speed", "leave the speeds out: they move most of the bytes")
    .option("--object-lock", "lock a file for a minute, too: it stays behind")
    .action(
      run<BackendFlags>(async (context, flags, [action = "", location, ...more]) => {
        parseChoice("the action of `backend`", action, ["test"]);
        if (more.length > 0) throw badUsage("too many arguments", "name one location");
        const { globals, terminal } = context;
        const base = location ?? (await repositoryLocation(globals));
        const result = await testBackend(context, base, {
          withSpeed: flags.speed,
          withObjectLock: flags.objectLock === true,
          onStart: (shown) => {
            if (!globals.json && !globals.quiet) terminal.print(renderTestStart(shown));
          },
        });
        terminal.print(
          globals.json
            ? backendTestMessage(result)
            : renderBackendTest(result, terminal.palette).join("\n"),
        );
        return endangersData(result) ? ExitCode.failed : ExitCode.done;
      }),
    );
};
