import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ComebackError, ExitCode } from "@comeback/core";
import type { Configuration } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { CommandContext } from "../context.ts";
import { executeInstall } from "../install/execute-install.ts";
import { neededPrivileges } from "../install/needed-privileges.ts";
import { planInstall, planRemoval } from "../install/plan-install.ts";
import { installMessage, renderInstall } from "../install/render-install.ts";
import type { CommandModule } from "../program.ts";

interface InstallFlags {
  readonly timers?: true;
  readonly user?: true;
  readonly privileged?: true;
  readonly remove?: true;
  readonly dryRun?: true;
}

/** What the command is to know of the configuration. */
export interface InstallWorld {
  readonly configuration: Configuration;
  /** Its file, where it lies in no usual place. */
  readonly configurationPath: string | undefined;
}

const DESCRIPTION = `Have systemd run plans by their schedules.

Shows and then writes a unit that runs \`comeback daemon\`, enables and starts it.
The service may read everything and little else; where plans mount, snapshot
volumes or start containers, it keeps all rights of root, and says why. Run it
again after such a change, or after Comeback moved.`;

/** The command, for a program that knows how the configuration is read. */
export function defineInstall(
  loadWorld: (context: CommandContext) => Promise<InstallWorld>,
): CommandModule["define"] {
  return (command, run) => {
    command
      .description(DESCRIPTION)
      .option("--timers", "a timer that looks every minute, instead of a daemon that stays")
      .option("--user", "for yourself, without root")
      .option("--privileged", "leave all rights of root to it: hooks need them")
      .option("--remove", "stop, disable and remove what was installed")
      .option("-n, --dry-run", "show it, and do nothing")
      .action(run<InstallFlags>((context, flags) => install(context, flags, loadWorld)));
  };
}

async function install(
  context: CommandContext,
  flags: InstallFlags,
  loadWorld: (context: CommandContext) => Promise<InstallWorld>,
): Promise<number> {
  const { terminal, globals, signal, env } = context;
  const isUser = flags.user === true;
  const isDryRun = flags.dryRun === true;
  const where = { unitFolder: unitFolder(isUser, env), isUser };
  const plan =
    flags.remove === true
      ? await planRemoval(where)
      : await planInstall({
          ...where,
          ...(await unitOptions(context, flags, await loadWorld(context))),
          isTimer: flags.timers === true,
        });
  if (!isDryRun) assertSystemd();
  if (globals.json) terminal.print(installMessage(plan, isDryRun));
  else if (!globals.quiet) terminal.print(renderInstall(plan, terminal.palette).join("\n"));
  if (isDryRun) return ExitCode.done;
  await executeInstall(plan, { commands: systemCommandRunner, signal });
  if (!globals.json && !globals.quiet) {
    terminal.print(renderNext(plan.files.length > 0, flags).join("\n"));
  }
  return ExitCode.done;
}

async function unitOptions(
  { env }: CommandContext,
  flags: InstallFlags,
  { configuration, configurationPath }: InstallWorld,
): Promise<{ command: readonly string[]; privileges: readonly string[] }> {
  const place = configurationPath === undefined ? [] : ["--config", configurationPath];
  const reasons = flags.privileged === true ? ["--privileged was given"] : [];
  return {
    command: [programPath(env), ...place],
    privileges: [...neededPrivileges(configuration), ...reasons],
  };
}

/** The launcher: it finds the right Node also after an update of it. */
function programPath(env: NodeJS.ProcessEnv): string {
  const main = realpathSync(process.argv[1] ?? "");
  const launcher = [env["COMEBACK_LAUNCHER"], join(main, "../../bin/comeback")].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (launcher !== undefined) return launcher;
  throw new ComebackError("platform.unsupported", "Comeback's launcher is not found", {
    why: `there is no bin/comeback beside ${main}`,
    next: "install Comeback as its README says, and run that",
  });
}

function unitFolder(isUser: boolean, env: NodeJS.ProcessEnv): string {
  if (!isUser) return "/etc/systemd/system";
  return join(env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "systemd/user");
}

/** sd_booted(3). */
function assertSystemd(): void {
  if (existsSync("/run/systemd/system")) return;
  throw new ComebackError("platform.unsupported", "systemd does not run here", {
    why: "there is no /run/systemd/system",
    next: "have your own service manager run `comeback daemon`; --dry-run shows the unit",
  });
}

function renderNext(isInstalled: boolean, flags: InstallFlags): string[] {
  if (!isInstalled) return [];
  if (flags.remove === true) return ["", "removed; what was backed up, and the catalog, stay"];
  const control = flags.user === true ? "systemctl --user" : "systemctl";
  const unit = flags.timers === true ? "comeback.timer" : "comeback";
  return [
    "",
    `installed; \`${control} status ${unit}\` and \`comeback status\` tell how it goes`,
    ...(flags.user === true ? ["`loginctl enable-linger` has it run while you are away"] : []),
  ];
}
