import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Finding } from "@comeback/core";
import type { ActionSettings, HookSettings, PlanSettings } from "@comeback/operations";
import { failed, passed } from "./findings.ts";
import type { CheckWish } from "./plan-parts.ts";

/** A program that a plan calls, or several of which one is enough, and what for. */
interface Needed {
  readonly programs: readonly string[];
  readonly what: string;
}

/** Whether the programs are there that hooks, maintenance, mounts and replicas call. */
export async function checkPrograms(wish: CheckWish, plan: PlanSettings): Promise<Finding[]> {
  const needed = new Map<string, Needed>();
  for (const one of programsOf(wish, plan)) {
    const key = one.programs.join(" ");
    if (!needed.has(key)) needed.set(key, one);
  }
  return Promise.all([...needed.values()].map((one) => checkProgram(one, wish.context.env)));
}

function programsOf({ loaded }: CheckWish, plan: PlanSettings): Needed[] {
  const { destinations } = loaded.configuration;
  const actions = [...(plan.maintenance?.enter ?? []), ...(plan.maintenance?.leave ?? [])];
  const hooks = [...plan.hooks, ...Object.values(plan.sources).flatMap(({ hooks: own }) => own)];
  const used = [...plan.to, ...plan.copies.flatMap(({ from, to }) => [from, to])];
  const engines = plan.healthyContainers.length === 0 ? [] : [containerEngine(undefined)];
  return [
    ...actions.flatMap((action) => programOf(action, "maintenance")),
    ...hooks.flatMap((hook) => programOf(hook, "a hook")),
    ...engines,
    ...used.flatMap((name) => {
      const { mount, replica } = destinations[name]!;
      return [
        ...(mount?.command === undefined ? [] : [single(mount.command[0], `mounting ${name}`)]),
        ...(replica === undefined
          ? []
          : [single("rsync" in replica ? "rsync" : replica.command[0], `the replica ${name}`)]),
      ];
    }),
    ...plan.requires.flatMap(({ command, mount }) =>
      command === undefined ? [] : [single([command].flat()[0] ?? "", `mounting ${mount}`)],
    ),
  ].filter(({ programs }) => programs.some((program) => !program.includes(" ")));
}

function programOf(action: ActionSettings | HookSettings, what: string): Needed[] {
  const undo = "undo" in action ? action.undo : undefined;
  const own = undo?.kind === "command" ? [single(undo.settings[0], what)] : [];
  switch (action.kind) {
    case "command":
      return [single(action.settings[0], what), ...own];
    case "container":
      return [containerEngine(action.settings.engine), ...own];
    case "systemd":
      return [single("systemctl", what), ...own];
    case "http":
      return own;
  }
}

function containerEngine(engine: string | undefined): Needed {
  return { programs: engine === undefined ? ["podman", "docker"] : [engine], what: "containers" };
}

function single(program: string, what: string): Needed {
  return { programs: [program], what };
}

async function checkProgram(
  { programs, what }: Needed,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding> {
  for (const program of programs) {
    const path = await findProgram(program, env["PATH"] ?? "");
    if (path !== undefined) return passed(program, `${path}, for ${what}`);
  }
  const names = programs.join(" or ");
  return failed(names, `is not there, and ${what} needs it`, "install it, or write its whole path");
}

async function findProgram(program: string, path: string): Promise<string | undefined> {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const places = program.includes("/") ? [program] : folders.map((folder) => join(folder, program));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return undefined;
}
