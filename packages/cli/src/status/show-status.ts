import {
  type CatalogStore,
  ComebackError,
  ExitCode,
  isComebackError,
  type PlanState,
} from "@comeback/core";
import {
  assessPlan,
  type Configuration,
  damageOf,
  listLeftOver,
  nextRuns,
  type PlanAssessment,
  type RecoveryTime,
  recoveryTimeOf,
  stateFolder as stateFolderOf,
  Timetables,
} from "@comeback/operations";
import { loadForCommand } from "../configuration/load-for-command.ts";
import type { CommandContext } from "../context.ts";
import { openRunCatalog } from "../run/open-run-catalog.ts";
import { renderStatus, worstVerdict } from "./render-status.ts";
import { withLiveness } from "./with-liveness.ts";

const EXIT_CODES = {
  safe: ExitCode.done,
  warning: ExitCode.sourceIncomplete,
  "at risk": ExitCode.failed,
  unprotected: ExitCode.failed,
} as const;

export async function showStatus(
  context: CommandContext,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, env, clock } = context;
  const { configuration } = await loadForCommand(context, globals.configurationPath);
  const stateFolder = configuration.state ?? stateFolderOf(env);
  const known = Object.keys(configuration.plans);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ComebackError("plan.not-found", `there is no plan ${unknown}`, {
      next: known.length === 0 ? "write one: `comeback setup`" : `there is ${known.join(", ")}`,
    });
  }
  const chosen = names.length === 0 ? known : names;
  const { states, recoveryTimes } = await readStates(context, { configuration, chosen });
  const nowMs = clock.now();
  const timetables = new Timetables();
  const plans = chosen.map((name) => {
    const recoveryTime = recoveryTimes.get(name);
    return assess(configuration, { name, states, nowMs, timetables, recoveryTime });
  });
  const leftOver = (await listLeftOver(stateFolder)).flatMap((one) => [
    ...one.steps.map(({ description }) => `left behind by run ${one.runId}: ${description}`),
    ...(one.damagedLines.length === 0 ? [] : [`left behind by run ${one.runId}: ${damageOf(one)}`]),
  ]);
  const verdict = worstVerdict(plans);
  if (globals.json) {
    terminal.print(JSON.stringify({ message_type: "status", verdict, plans, left_over: leftOver }));
  } else {
    const page = { plans, nowMs, leftOver };
    terminal.print(renderStatus(page, terminal.palette, terminal.columns).join("\n"));
  }
  const code = plans.length === 0 ? ExitCode.failed : EXIT_CODES[verdict];
  return code === ExitCode.done && leftOver.length > 0 ? ExitCode.sourceIncomplete : code;
}

function assess(
  configuration: Configuration,
  given: {
    readonly name: string;
    readonly states: ReadonlyMap<string, PlanState>;
    readonly nowMs: number;
    readonly timetables: Timetables;
    readonly recoveryTime: RecoveryTime | undefined;
  },
): PlanAssessment {
  const { name, states, nowMs, timetables, recoveryTime } = given;
  const plan = configuration.plans[name]!;
  const [first, second] = plan.enabled ? nextRuns(configuration, plan, { nowMs, timetables }) : [];
  return assessPlan({
    name,
    plan,
    configuration,
    state: states.get(name),
    nowMs,
    nextRunMs: first,
    intervalMs: first === undefined || second === undefined ? undefined : second - first,
    recoveryTime,
  });
}

/** Without a catalog, nothing has run yet as far as anybody knows. */
async function readStates(
  context: CommandContext,
  given: {
    readonly configuration: Configuration;
    readonly chosen: readonly string[];
  },
): Promise<{
  readonly states: ReadonlyMap<string, PlanState>;
  /** Of plans that say how long a recovery may take. */
  readonly recoveryTimes: ReadonlyMap<string, RecoveryTime | undefined>;
}> {
  const { configuration, chosen } = given;
  let catalog: CatalogStore;
  try {
    catalog = await openRunCatalog(context, configuration, false);
  } catch (error) {
    if (isComebackError(error, "catalog.none"))
      return { states: new Map(), recoveryTimes: new Map() };
    throw error;
  }
  await using _open = catalog;
  const states = await catalog.planStates(chosen);
  const recoveryTimes = new Map<string, RecoveryTime | undefined>();
  for (const state of states) {
    if (configuration.plans[state.plan]?.objectives.rto === undefined) continue;
    recoveryTimes.set(state.plan, await recoveryTimeOf(catalog, state));
  }
  return {
    states: new Map(states.map((state) => [state.plan, withLiveness(state, catalog.host)])),
    recoveryTimes,
  };
}
