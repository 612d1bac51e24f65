import {
  ComebackError,
  CONTAINER_LOOK_MAX_MS,
  EXPECTED_GROWTH_FACTOR,
  formatBytes,
  FREE_SPACE_MIN_BYTES,
  SOURCE_HISTORY_FOR_SPACE,
} from "@comeback/core";
import { containerState, findEngine } from "../undo/containers.ts";
import { LiveDestination } from "./live-destination.ts";
import { requireMount } from "./require-mount.ts";
import { failSource, type RunState } from "./run-state.ts";
import { type ActiveStage, textOf } from "./run-recorder.ts";

/** Looks at everything that the run needs, before anything is touched. */
export async function preflightStage(state: RunState): Promise<void> {
  await undoLeftOver(state);
  await requireWorld(state);
  await probeSources(state);
  await openDestinations(state);
}

async function undoLeftOver({ recorder, services, request }: RunState): Promise<void> {
  if (request.dryRun) return;
  const wish = { stage: "preflight", subject: "earlier runs" } as const;
  const result = await recorder.stage(wish, (stage) =>
    services.undoLeftOver(stage.signal, (line) => stage.warn(line)),
  );
  if (!result.ok) throw result.error;
}

/** What the plan as a whole cannot do without: mounts, containers. */
async function requireWorld({ recorder, services, plan, request }: RunState): Promise<void> {
  const { clock, actions } = services;
  for (const { mount, command, wait } of plan.requires) {
    const wish = { stage: "preflight", subject: mount } as const;
    const result = await recorder.stage(wish, async (stage) => {
      const { runner } = actions;
      const state = await requireMount(
        // A dry run looks, and mounts nothing.
        { mount, command: request.dryRun ? undefined : command, wait },
        { runner, clock, signal: stage.signal },
      );
      stage.log(`${mount} ${state}`);
    });
    if (!result.ok) throw result.error;
  }
  for (const name of plan.healthyContainers) {
    const wish = { stage: "preflight", subject: name } as const;
    const result = await recorder.stage(wish, async ({ signal }) => {
      const engine = await findEngine(actions, signal);
      const options = { timeoutMs: CONTAINER_LOOK_MAX_MS, signal };
      const found = await containerState({ engine, name }, actions, options);
      if (found === "running") return;
      const what = `the container ${name} is ${found ?? "not there"}`;
      throw new ComebackError("source.unavailable", what, {
        next: "bring it back, or take it out of `healthy-containers`",
      });
    });
    if (!result.ok) throw result.error;
  }
}

async function probeSources(state: RunState): Promise<void> {
  const { recorder, services } = state;
  for (const source of state.sources) {
    const wish = {
      stage: "preflight",
      subject: source.name,
      retries: source.settings.retries,
    } as const;
    const result = await recorder.stage(wish, async (stage) => {
      source.protected = services.makeSource(source.settings);
      const findings = await source.protected.probe({ signal: stage.signal });
      const { snapshot } = source.settings;
      if (snapshot !== undefined) {
        const { paths } = source.protected;
        const snapshotter = services.makeSnapshotter(snapshot);
        findings.push(...(await snapshotter.probe({ paths, signal: stage.signal })));
      }
      for (const { state: found, subject, message, next } of findings) {
        if (found === "passed") continue;
        const text = [`${subject}: ${message}`, next].filter(Boolean).join("; ");
        if (found === "failed") throw new ComebackError("source.unavailable", text);
        stage.warn(text);
      }
    });
    if (!result.ok) failSource(source, textOf(result.error));
  }
}

/** All that the plan writes, and all that its copies lead to. */
async function openDestinations(state: RunState): Promise<void> {
  const { recorder, services, plan, signal, destinations } = state;
  const names = new Set([...plan.to, ...plan.copies.flatMap(({ from, to }) => [from, to])]);
  for (const name of names) {
    const destination = new LiveDestination(name, services, signal);
    destinations.set(name, destination);
    const { settings } = destination;
    // A folder that a program keeps alike is not written by us.
    if (settings.replica !== undefined) continue;
    const wish = { stage: "preflight", subject: name, retries: settings.retries } as const;
    const result = await recorder.stage(wish, async (stage) => {
      try {
        await destination.open();
        await expectSpace(state, destination, stage);
      } catch (error) {
        await destination.close();
        throw error;
      }
    });
    if (!result.ok) destinations.delete(name);
  }
}

/** Whether what usually comes would fit, where that can be told. */
async function expectSpace(
  { services, catalog, plan, request, recorder }: RunState,
  { name, settings }: LiveDestination,
  stage: ActiveStage,
): Promise<void> {
  const free = await services.freeBytes(name, stage.signal);
  if (free === undefined) return;
  const limit = SOURCE_HISTORY_FOR_SPACE * Object.keys(plan.sources).length;
  const filter = { plan: request.plan, destination: name, limit };
  const records = (await recorder.read(() => catalog.listSnapshots(filter))) ?? [];
  const sums = [...Map.groupBy(records, ({ runId }) => runId).values()].map((one) =>
    one.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
  );
  const usual = Math.max(0, ...sums);
  const needed =
    settings.freeSpace ?? Math.max(FREE_SPACE_MIN_BYTES, usual * EXPECTED_GROWTH_FACTOR);
  if (free >= needed) return;
  const text = `only ${formatBytes(free)} are free, and ${formatBytes(needed)} may be needed`;
  if (free < FREE_SPACE_MIN_BYTES) {
    throw new ComebackError("backend.full", text, {
      next: `make room where ${name} lies, or let it keep less`,
    });
  }
  stage.warn(text);
}
