import {
  type PlannedSnapshot,
  SNAPSHOT_REMOVE_MAX_MS,
  type Snapshotter,
  type SnapshotView,
} from "@comeback/core";
import {
  enterMaintenance,
  leaveMaintenance,
  type MaintenanceWindow,
} from "../hooks/maintenance.ts";
import type { UndoHandle, UndoStack } from "../undo/undo-stack.ts";
import { captureStage } from "./capture-stage.ts";
import { pinSource } from "./pin-source.ts";
import { textOf } from "./run-recorder.ts";
import {
  failSource,
  liveSources,
  type RunState,
  type SourceRun,
  spoilSource,
} from "./run-state.ts";

/** A snapshot that stands until what it shows was read. */
interface StandingSnapshot {
  readonly name: string;
  readonly snapshotter: Snapshotter;
  readonly planned: PlannedSnapshot;
  readonly handle: UndoHandle;
  readonly sources: readonly SourceRun[];
}

/** What holds the sources still, and has to be let go of. */
export class Freeze {
  readonly #state: RunState;
  readonly #stack: UndoStack;
  readonly #standing: StandingSnapshot[] = [];

  constructor(state: RunState, stack: UndoStack) {
    this.#state = state;
    this.#stack = stack;
  }

  /**
   * Brings the service to rest, fixes the moment of every source, and lets the service go on. A
   * source whose moment cannot be fixed is read whole while the service is at rest.
   */
  async take(): Promise<void> {
    const { plan } = this.#state;
    const { maintenance } = plan;
    const covered = new Set(maintenance?.sources ?? Object.keys(plan.sources));
    const entered = maintenance === undefined ? undefined : await this.#quiesce();
    if (maintenance !== undefined && entered === undefined) {
      // A copy of a service that was not at rest would look like one of a service that was.
      for (const source of liveSources(this.#state)) {
        if (covered.has(source.name))
          failSource(source, "the service could not be brought to rest");
      }
    }
    try {
      await this.#snapshot();
      await this.#pin();
      if (entered === undefined) return;
      for (const source of liveSources(this.#state)) {
        if (covered.has(source.name) && source.pinned === undefined && source.view === undefined) {
          await captureStage(this.#state, source, this.#stack.overrun);
        }
      }
    } finally {
      if (entered !== undefined) await this.#resume(entered);
    }
  }

  async #quiesce(): Promise<MaintenanceWindow | undefined> {
    const { recorder, plan, services } = this.#state;
    const settings = plan.maintenance!;
    const result = await recorder.stage({ stage: "quiesce" }, async (stage) => {
      const { actions, clock } = services;
      const window = await enterMaintenance(this.#stack, settings, {
        services: actions,
        signal: stage.signal,
        clock,
      });
      for (const { description } of window.handles) stage.log(description);
      return window;
    });
    return result.ok ? result.value : undefined;
  }

  async #resume(entered: MaintenanceWindow): Promise<void> {
    const { recorder } = this.#state;
    const result = await recorder.stage({ stage: "resume" }, async (stage) => {
      await leaveMaintenance(this.#stack, entered);
      const wasOverrun = this.#stack.overrun.aborted;
      if (wasOverrun) {
        stage.warn("the service was brought back by the watchdog: its window was too short");
      }
      return wasOverrun;
    });
    if (result.ok && !result.value) return;
    // What was read when the service may have been at work again is no picture of it at rest.
    for (const source of this.#state.sources) {
      const isFixed = source.pinned !== undefined || source.view !== undefined;
      if (!isFixed) await spoilSource(this.#state, source, "its window ended before it was read");
    }
  }

  /** One request for each snapshotter: all paths of all its sources at one moment. */
  async #snapshot(): Promise<void> {
    const { recorder, services, runId } = this.#state;
    const groups = Map.groupBy(liveSources(this.#state), ({ settings }) => settings.snapshot);
    for (const [name, sources] of groups) {
      if (name === undefined) continue;
      const result = await recorder.stage({ stage: "snapshot", subject: name }, async (stage) => {
        const snapshotter = services.makeSnapshotter(name);
        const paths = [...new Set(sources.flatMap((source) => source.protected?.paths ?? []))];
        const planned = await snapshotter.plan({ paths, runId }, stage.signal);
        const handle = await this.#stack.perform(
          {
            step: {
              kind: "snapshot",
              snapshotter: name,
              token: planned.token,
              timeoutMs: SNAPSHOT_REMOVE_MAX_MS,
            },
            description: planned.description,
          },
          () => snapshotter.create(planned, stage.signal),
        );
        const view: SnapshotView = handle.value;
        for (const source of sources) {
          source.view = view;
          source.atMs = services.clock.now();
        }
        this.#standing.push({ name, snapshotter, planned, handle, sources });
        stage.log(planned.description);
      });
      if (result.ok) continue;
      // Reading the live files instead would be silently less than what was asked for.
      for (const source of sources) failSource(source, textOf(result.error));
    }
  }

  async #pin(): Promise<void> {
    const { recorder } = this.#state;
    for (const source of liveSources(this.#state)) {
      if (source.protected?.pinsMoment !== true) continue;
      const wish = { stage: "snapshot", subject: source.name } as const;
      const result = await recorder.stage(wish, async (stage) => {
        source.pinned = await pinSource(this.#state, source, stage);
      });
      if (!result.ok) failSource(source, textOf(result.error));
    }
  }

  /**
   * Looks whether each snapshot stayed whole until it was read, and removes it. What was read from
   * one that did not is worth nothing, and does not count.
   */
  async release(): Promise<void> {
    const { recorder } = this.#state;
    for (const source of this.#state.sources) {
      const { pinned } = source;
      source.pinned = undefined;
      // Never captured, because something failed before it: there is nothing to tell of it.
      await Promise.resolve(pinned?.[Symbol.asyncDispose]()).catch(() => undefined);
    }
    for (const standing of this.#standing.splice(0).toReversed()) {
      const { name, snapshotter, planned, handle, sources } = standing;
      const wish = { stage: "release", subject: name } as const;
      const result = await recorder.stage(wish, async (stage) => {
        let spoilt: unknown;
        await snapshotter.verify(planned, stage.signal).catch((error: unknown) => (spoilt = error));
        await this.#stack.undo(handle);
        if (spoilt !== undefined) throw spoilt;
      });
      if (result.ok) continue;
      const why = `its snapshot did not stay whole: ${textOf(result.error)}`;
      for (const source of sources) await spoilSource(this.#state, source, why);
    }
  }
}
