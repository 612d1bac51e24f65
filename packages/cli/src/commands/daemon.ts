import type { CommandContext } from "../context.ts";
import { type DaemonWorld, runDaemon } from "../daemon/run-daemon.ts";
import type { CommandModule } from "../program.ts";

interface DaemonCommandFlags {
  readonly once?: true;
}

const DESCRIPTION = `Run plans by their schedules.

Undoes what is left over, then starts each plan at its moments, as a process of
its own, until it is stopped. SIGHUP reads the configuration anew; one with a
mistake is told and the old one goes on. SIGTERM starts nothing more, waits a
minute for what runs, and then asks it to end. \`comeback install\` makes a
service of it.`;

/** The command, for a program that knows how a daemon's world is put together. */
export function defineDaemon(
  openWorld: (context: CommandContext) => Promise<DaemonWorld & AsyncDisposable>,
): CommandModule["define"] {
  return (command, run) => {
    command
      .description(DESCRIPTION)
      .option("--once", "start what is due, wait for it, and end: for a timer")
      .action(
        run<DaemonCommandFlags>(async (context, flags) => {
          await using world = await openWorld(context);
          return await runDaemon(context, world, { once: flags.once === true });
        }),
      );
  };
}
