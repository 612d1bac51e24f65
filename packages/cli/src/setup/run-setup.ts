import { access, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ComebackError, isComebackError } from "@comeback/core";
import { findConfiguration, loadConfiguration } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { CommandContext } from "../context.ts";
import { makeRepository } from "../opening/make-repository.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { printableText } from "../terminal/printable.ts";
import { askSetup } from "./ask-setup.ts";
import { type Discovery, discoverHost } from "./discover-host.ts";
import { makeRecoveryKey } from "./recovery-key.ts";
import { keyFileFor, namedFolders, planSetup, type SetupPlan } from "./setup-plan.ts";

export interface SetupFlags {
  readonly path: readonly string[];
  readonly all?: true;
  readonly plan?: string;
  readonly at: string;
  readonly keyFile?: string;
  readonly yes?: true;
  readonly dryRun?: true;
}

const ROOT_FOLDER = "/etc/comeback";

export async function runSetup(context: CommandContext, flags: SetupFlags): Promise<number> {
  const { env, globals, terminal, signal } = context;
  const configurationPath = await newConfigurationPath(context);
  const given = {
    ...flags,
    repository: repositoryOf(context),
    named: await namedFolders(flags.path),
  };
  // Where everything is said already, nobody need look around.
  const isLooking = flags.all === true || (flags.yes !== true && flags.path.length === 0);
  const view = { runner: systemCommandRunner, signal, root: "/" };
  const found = isLooking ? await discoverHost(view) : [];
  const wish = flags.yes === true ? chosen(given, found) : await askSetup(given, found);
  const keyFile = flags.keyFile ?? keyFileFor(configurationPath);
  const plan = planSetup({
    ...wish,
    configurationPath,
    plan: flags.plan,
    keyFile,
    keyExists: await isThere(keyFile),
  });
  if (!globals.json && !globals.quiet) terminal.print(renderSetupPlan(plan).join("\n"));
  if (flags.dryRun === true) {
    if (globals.json) terminal.print(JSON.stringify(setupMessage(plan, true)));
    return 0;
  }
  if (flags.yes !== true && !(await wish.confirm())) return 0;
  const key = await prepareKey(context, plan);
  const isMade = await prepareRepository(context, plan, key);
  await writeNew(plan.configurationPath, plan.configurationText, 0o600);
  // A key that an earlier try has left, and that opens nothing yet, was never shown.
  const isToBeShown = key.isNew || (isMade && flags.keyFile === undefined);
  // What was written must be what is understood.
  await loadConfiguration({ path: plan.configurationPath, env, signal });
  if (globals.json) terminal.print(JSON.stringify(setupMessage(plan, false)));
  else terminal.print(renderDone(plan, isToBeShown ? key.password : undefined).join("\n"));
  return 0;
}

function repositoryOf({ globals }: CommandContext): string | undefined {
  const { repository } = globals;
  return repository?.kind === "location" ? repository.location : undefined;
}

/** Where the configuration will be; one that is there is never written over. */
async function newConfigurationPath({ env, globals }: CommandContext): Promise<string> {
  const named = globals.configurationPath;
  const found = await findConfiguration({ path: named, env });
  if (found !== undefined && (await isThere(found))) {
    throw new ComebackError("option.invalid", `there is a configuration already: ${found}`, {
      why: "setup writes a new one, and never over one that is there",
      next: "change it with an editor, and look at it with `comeback plan check`",
    });
  }
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) return join(ROOT_FOLDER, "comeback.yaml");
  const home = env["XDG_CONFIG_HOME"] || join(env["HOME"] ?? "/", ".config");
  return join(home, "comeback", "comeback.yaml");
}

export interface SetupChoice {
  readonly repository: string;
  readonly sources: readonly Discovery[];
  readonly at: string;
  confirm(): Promise<boolean>;
}

/** What the command line says already. */
export interface GivenSetup extends SetupFlags {
  readonly repository: string | undefined;
  readonly named: readonly Discovery[];
}

function chosen(given: GivenSetup, found: readonly Discovery[]): SetupChoice {
  const { repository, at, named } = given;
  if (repository === undefined) {
    throw badUsage("it is not said where to", "name the repository with --repo /mnt/nas/comeback");
  }
  const sources = given.all === true ? [...found, ...named] : named;
  return { repository, sources, at, confirm: () => Promise.resolve(true) };
}

export function renderSetupPlan(plan: SetupPlan): string[] {
  const key = plan.keyExists ? "its password is in" : "its new password goes to";
  return [
    "Protected will be:",
    ...plan.sources.map(({ description }) => `  - ${printableText(description)}`),
    `in the repository ${printableText(plan.repository)},`,
    `${key} ${plan.keyFile};`,
    `the configuration goes to ${plan.configurationPath}.`,
  ];
}

function renderDone(plan: SetupPlan, newKey: string | undefined): string[] {
  const key =
    newKey === undefined
      ? []
      : [
          "",
          "This is the recovery key. It is shown once, now:",
          "",
          `    ${newKey}`,
          "",
          "Without it nobody can read the backups, you included. Write it down and keep",
          "it away from this machine: on paper, or in a password manager. It is also in",
          `${plan.keyFile}, which only you can read, and which dies with this machine.`,
        ];
  return [
    "",
    `wrote ${plan.configurationPath}`,
    ...key,
    "",
    "Next:",
    "  comeback plan check    look whether all of it works",
    "  comeback run           make the first backup",
    "  comeback status        am I safe?",
    "  comeback install       run by itself from now on",
  ];
}

/** The key itself is in its file, and nowhere else that a log might keep. */
function setupMessage(plan: SetupPlan, dryRun: boolean): object {
  return {
    message_type: "summary",
    dry_run: dryRun,
    configuration: plan.configurationPath,
    repository: plan.repository,
    key_file: plan.keyFile,
    key_existed: plan.keyExists,
    sources: plan.sources.map(({ kind, name, description }) => ({ kind, name, description })),
  };
}

async function prepareKey(
  { random }: CommandContext,
  { keyFile, keyExists }: SetupPlan,
): Promise<{ readonly password: string; readonly isNew: boolean }> {
  if (keyExists) return { password: (await readFile(keyFile, "utf8")).trim(), isNew: false };
  const password = makeRecoveryKey(random);
  await writeNew(keyFile, `${password}\n`, 0o600);
  return { password, isNew: true };
}

/** Makes the repository, and says so; where there is one, it has to open with the key. */
async function prepareRepository(
  context: CommandContext,
  { repository, keyFile }: SetupPlan,
  key: { readonly password: string; readonly isNew: boolean },
): Promise<boolean> {
  const { password, isNew } = key;
  try {
    await makeRepository(context, { location: repository, password, version: 2 });
    return true;
  } catch (error) {
    if (!isComebackError(error, "repository.exists")) throw error;
    if (isNew) {
      // It opens nothing, and would be taken for what does.
      await rm(keyFile);
      throw new ComebackError("repository.exists", `there is a repository at ${repository}`, {
        why: "it has a password already, and a new one would not open it",
        next: "give the file that holds its password with --key-file",
        cause: error,
      });
    }
    const { globals } = context;
    const open = { lock: "none", password: () => Promise.resolve(password) } as const;
    const named = { ...globals, repository: { kind: "location", location: repository } } as const;
    await using _session = await openSession({ ...context, globals: named }, open);
    return false;
  }
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await using file = await open(path, "wx", mode);
  await file.writeFile(text);
  await file.sync();
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
