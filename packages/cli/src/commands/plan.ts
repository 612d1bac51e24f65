import { ComebackError, ExitCode } from "@comeback/core";
import {
  configurationJsonSchemaText,
  type LoadedConfiguration,
  resolvedPlan,
  resolvedPlanText,
} from "@comeback/operations";
import { checkPlans } from "../configuration/check/check-plans.ts";
import { loadForCommand } from "../configuration/load-for-command.ts";
import { planParts, validateTrigger } from "../configuration/plan-parts.ts";
import { isInTheWay, renderFindings } from "../configuration/render-findings.ts";
import { renderPlans } from "../configuration/render-plans.ts";
import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import {
  PREVIEW_DEFAULT,
  type PreviewFlags,
  previewRetention,
} from "../retention-preview/preview-retention.ts";
import { recoveryLines } from "../status/recovery-lines.ts";
import { printableText } from "../terminal/printable.ts";

const ACTIONS = ["list", "show", "check", "retention", "schema"] as const;

const DESCRIPTION = `Show and check what the configuration says.

  list           the plans, with when they run and where they go
  show [PLAN]    what a plan says, with defaults and includes put in;
                 secrets stay references
  check [PLAN]   whether it could run now: sources, programs, secrets,
                 destinations and their passwords, space, clock
  retention [PLAN]
                 what will be kept: the coming time's runs on paper, with
                 the schedule and the rules of every destination
  schema         the JSON Schema of the configuration, for editors

The exit code of \`check\` is 1 where something is in the way or unknown.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("<action>", "list, show, check, retention or schema")
    .argument("[plan]", "a plan's name; all of them if not given")
    .option("--preview <duration>", "retention: how far to look ahead", PREVIEW_DEFAULT)
    .option("--from-repository", "retention: begin with the snapshots that are there")
    .action(
      run<PreviewFlags>(async (context, flags, [given = "", name, ...more]) => {
        const action = parseChoice("the action of `plan`", given, ACTIONS);
        if (more.length > 0) throw badUsage("too many arguments", "name one plan");
        if (action === "schema") {
          context.terminal.printRaw(configurationJsonSchemaText());
          return ExitCode.done;
        }
        const path = context.globals.configurationPath;
        const loaded = await loadForCommand(context, path, validateTrigger);
        const names = chosenPlans(loaded, name);
        if (action === "check") return check(context, loaded, names);
        if (action === "retention") return previewRetention(context, loaded, { names, flags });
        if (action === "list") list(context, loaded, names);
        else await show(context, loaded, names);
        return ExitCode.done;
      }),
    );
};

function chosenPlans({ configuration }: LoadedConfiguration, name: string | undefined): string[] {
  const names = Object.keys(configuration.plans);
  if (name === undefined) return names;
  if (names.includes(name)) return [name];
  throw noPlan(name, names);
}

function noPlan(name: string, names: readonly string[]): ComebackError {
  return new ComebackError("plan.not-found", `no plan is called "${name}"`, {
    next: names.length === 0 ? "the configuration has none" : `there is ${names.join(", ")}`,
  });
}

function list(
  { globals, terminal }: CommandContext,
  { configuration }: LoadedConfiguration,
  names: readonly string[],
): void {
  const plans = names.map((name) => [name, configuration.plans[name]!] as const);
  if (!globals.json) {
    terminal.print(renderPlans(Object.fromEntries(plans)).join("\n"));
    return;
  }
  const messages = plans.map(([name, { enabled, schedule, sources, to, copies }]) => ({
    name,
    enabled,
    triggers: schedule?.triggers ?? {},
    sources: Object.keys(sources),
    to,
    copies: copies.map(({ from, to: copyTo }) => ({ from, to: copyTo })),
  }));
  terminal.print(JSON.stringify(messages));
}

async function show(
  context: CommandContext,
  loaded: LoadedConfiguration,
  names: readonly string[],
): Promise<void> {
  const { globals, terminal } = context;
  if (globals.json) {
    terminal.printRaw(`${JSON.stringify(resolvedPlan(loaded, names))}\n`);
    return;
  }
  terminal.printRaw(resolvedPlanText(loaded, names));
  // A comment: what stands above is a configuration.
  for (const line of await recoveryLines(context, loaded, names)) {
    terminal.printRaw(`# ${printableText(line)}\n`);
  }
}

async function check(
  context: CommandContext,
  loaded: LoadedConfiguration,
  names: readonly string[],
): Promise<number> {
  const { globals, terminal } = context;
  const groups = await checkPlans({ context, loaded, parts: planParts(context) }, names);
  const findings = groups.flatMap((group) =>
    group.findings.map((finding) => ({ group: group.title, ...finding })),
  );
  const isInWay = findings.some(isInTheWay);
  if (globals.json) {
    for (const finding of findings) {
      terminal.print(JSON.stringify({ message_type: "finding", ...finding }));
    }
    terminal.print(JSON.stringify({ message_type: "summary", ready: !isInWay }));
  } else {
    const shown = globals.quiet
      ? groups.map(({ title, findings: all }) => ({
          title,
          findings: all.filter(({ state }) => state !== "passed"),
        }))
      : groups;
    terminal.print(renderFindings(shown, terminal.palette, terminal.columns).join("\n"));
  }
  return isInWay ? ExitCode.failed : ExitCode.done;
}
