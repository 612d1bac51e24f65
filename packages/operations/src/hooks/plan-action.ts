import { ComebackError } from "@comeback/core";
import type { ActionSettings, HookSettings } from "../configuration/schema/action.ts";
import { callHttp, describeCall } from "../undo/call-http.ts";
import {
  type Container,
  containerState,
  findEngine,
  stopContainerArgv,
} from "../undo/containers.ts";
import { describeProgram, type Program, runProgramWell } from "../undo/run-program.ts";
import type { ActionServices } from "../undo/undo-services.ts";
import type { UndoStep } from "../undo/undo-step.ts";
import { isUnitRunning, unitState } from "./service-units.ts";

/** One thing to do, and how it is taken back; without `undo`, it is not. */
export interface ActionPart {
  readonly description: string;
  readonly undo?: UndoStep | undefined;
  perform(signal: AbortSignal): Promise<void>;
}

/** What an action and a hook have in common: what is done. */
export type Doing = ActionSettings | HookSettings;
type ContainerSettings = Extract<Doing, { readonly kind: "container" }>["settings"];

/** Further variables that a program gets, and what it reads on its standard input. */
export interface ActionFacts {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Beyond the time that a container has to stop, for the engine to notice and say so. */
const STOP_MARGIN_MS = 10_000;

/**
 * What an action will do, in the order in which it is done. Looks at the world (what is running?),
 * since only that is stopped, and only what was stopped is started again; changes nothing.
 */
export async function planAction(
  action: Doing,
  services: ActionServices,
  signal: AbortSignal,
  facts: ActionFacts = {},
): Promise<ActionPart[]> {
  const undo = "undo" in action ? undoStepOf(action) : undefined;
  switch (action.kind) {
    case "command": {
      const program = programOf(action, action.settings, facts);
      return [{ ...partOf(program, services), undo }];
    }
    case "http": {
      const { timeout, settings } = action;
      const body = settings.body ?? (settings.method === "GET" ? undefined : facts.input);
      const call = { ...settings, body, headers: headersOf(settings, facts) };
      const perform = (outer: AbortSignal): Promise<void> =>
        callHttp(call, services, AbortSignal.any([outer, AbortSignal.timeout(timeout)]));
      return [{ description: describeCall(call), undo, perform }];
    }
    case "container": {
      const parts = await planContainers(action, services, signal, facts);
      if (action.settings.exec !== undefined) return parts.map((part) => ({ ...part, undo }));
      return [...alsoUndoing(undo), ...parts];
    }
    case "systemd":
      return [...alsoUndoing(undo), ...(await planUnits(action, services, signal))];
  }
}

/** An undo of one's own, for what is taken back by itself: it runs after that. */
function alsoUndoing(undo: UndoStep | undefined): ActionPart[] {
  if (undo === undefined) return [];
  return [{ description: "what the configuration adds", undo, perform: () => Promise.resolve() }];
}

async function planContainers(
  { settings, timeout, environment }: Doing & { readonly kind: "container" },
  services: ActionServices,
  signal: AbortSignal,
  facts: ActionFacts,
): Promise<ActionPart[]> {
  const engine = settings.engine ?? (await findEngine(services, signal));
  const { exec, stop, pause, stopTimeout } = settings;
  if (exec !== undefined) {
    const variables = { ...facts.environment, ...environment };
    const argv = execArgv(engine, exec, {
      names: Object.keys(variables),
      hasInput: "input" in facts,
    });
    const program = { argv, environment: variables, input: facts.input, timeoutMs: timeout };
    return [
      {
        ...partOf(program, services),
        description: `${exec.container}: ${describeProgram(exec.command)}`,
      },
    ];
  }
  const parts: ActionPart[] = [];
  for (const name of stop ?? pause ?? []) {
    const container = { engine, name };
    const state = await containerState(container, services, { timeoutMs: timeout, signal });
    if (state === undefined) throw noContainer(container);
    if (state !== "running") continue;
    if (stop === undefined) {
      const undo = { kind: "container-unpause", ...container, timeoutMs: timeout } as const;
      const program = { argv: [engine, "pause", "--", name], timeoutMs: timeout } as const;
      parts.push({ ...partOf(program, services), description: `pause of container ${name}`, undo });
    } else {
      const times = { stopTimeoutMs: stopTimeout, timeoutMs: timeout };
      const undo = { kind: "container-start", ...container, ...times } as const;
      const program = stopProgram(container, settings);
      parts.push({ ...partOf(program, services), description: `stop of container ${name}`, undo });
    }
  }
  return parts;
}

function stopProgram(container: Container, { stopTimeout }: ContainerSettings): Program {
  const argv = stopContainerArgv(container, stopTimeout);
  return { argv, timeoutMs: stopTimeout + STOP_MARGIN_MS };
}

/** Variables are named only: the engine takes their values from its own environment. */
function execArgv(
  engine: Container["engine"],
  { container, command, user }: NonNullable<ContainerSettings["exec"]>,
  { names, hasInput }: { readonly names: readonly string[]; readonly hasInput: boolean },
): readonly [string, ...string[]] {
  const variables = names.flatMap((name) => ["-e", name]);
  const flags = [...(hasInput ? ["-i"] : []), ...(user === undefined ? [] : ["-u", user])];
  return [engine, "exec", ...flags, ...variables, container, ...command];
}

async function planUnits(
  { settings, timeout }: Doing & { readonly kind: "systemd" },
  services: ActionServices,
  signal: AbortSignal,
): Promise<ActionPart[]> {
  const parts: ActionPart[] = [];
  for (const unit of settings.stop) {
    if (!isUnitRunning(await unitState(unit, services, { timeoutMs: timeout, signal }))) continue;
    const undo = { kind: "systemd-start", unit, timeoutMs: timeout } as const;
    const program = { argv: ["systemctl", "stop", "--", unit], timeoutMs: timeout } as const;
    parts.push({ ...partOf(program, services), description: `stop of unit ${unit}`, undo });
  }
  return parts;
}

/**
 * An action that only ever takes back, as a step. What stops containers or units may do so here too;
 * a pause cannot, since pausing twice is an error.
 */
export async function leaveSteps(
  action: ActionSettings,
  services: ActionServices,
  signal: AbortSignal,
): Promise<{ readonly step: UndoStep; readonly description: string }[]> {
  const { timeout: timeoutMs, environment } = action;
  switch (action.kind) {
    case "command": {
      const argv = action.settings;
      const step = { kind: "command", argv, environment, timeoutMs } as const;
      return [{ step, description: describeProgram(argv) }];
    }
    case "http":
      return [
        {
          step: { kind: "http", ...action.settings, timeoutMs },
          description: describeCall(action.settings),
        },
      ];
    case "systemd": {
      const argv = ["systemctl", "stop", "--", ...action.settings.stop] as const;
      return [{ step: { kind: "command", argv, timeoutMs }, description: describeProgram(argv) }];
    }
    case "container": {
      const { exec, stop, engine: wanted } = action.settings;
      const engine = wanted ?? (await findEngine(services, signal));
      if (exec !== undefined) {
        const argv = execArgv(engine, exec, { names: Object.keys(environment), hasInput: false });
        const description = `${exec.container}: ${describeProgram(exec.command)}`;
        return [{ step: { kind: "command", argv, environment, timeoutMs }, description }];
      }
      if (stop === undefined) throw pausesAtTheEnd();
      return stop.map((name) => {
        const program = stopProgram({ engine, name }, action.settings);
        const step = { kind: "command", ...program } as const;
        return { step, description: `stop of container ${name}` };
      });
    }
  }
}

function programOf(
  { timeout, environment }: Doing,
  argv: readonly [string, ...string[]],
  facts: ActionFacts,
): Program {
  const { environment: more = {}, input } = facts;
  return { argv, environment: { ...more, ...environment }, input, timeoutMs: timeout };
}

function partOf(program: Program, services: ActionServices): ActionPart {
  return {
    description: describeProgram(program.argv),
    async perform(signal) {
      await runProgramWell(program, services, signal);
    },
  };
}

function headersOf(
  { headers, body }: Extract<Doing, { readonly kind: "http" }>["settings"],
  facts: ActionFacts,
): typeof headers {
  const says = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  if (says || body !== undefined || facts.input === undefined) return headers;
  return { ...headers, "content-type": "application/json" };
}

/** It gets the same environment as what it takes back. */
function undoStepOf({ undo, environment }: ActionSettings): UndoStep | undefined {
  if (undo === undefined) return undefined;
  const { timeout: timeoutMs } = undo;
  if (undo.kind === "http") return { kind: "http", ...undo.settings, timeoutMs };
  return { kind: "command", argv: undo.settings, environment, timeoutMs };
}

function noContainer({ engine, name }: Container): ComebackError {
  return new ComebackError("action.failed", `there is no container ${name}`, {
    why: `${engine} does not know it`,
    next: `\`${engine} ps -a\` shows what there is; \`engine\` says which program to ask`,
  });
}

function pausesAtTheEnd(): ComebackError {
  return new ComebackError("configuration.invalid", "maintenance cannot end with a pause", {
    why: "an action of `leave` may have to run twice, and a paused container cannot be paused",
    next: "pause it in `enter`: what was paused goes on by itself afterwards",
  });
}
