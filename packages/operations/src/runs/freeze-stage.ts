import {
  ComebackError,
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
  proveSource,
  type RunState,
  type SourceRun,
  spoilSource,
} from "./run-state.ts";

const WINDOW_TOO_SHORT = "the service was brought back before it was read: the window is too short";

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
    const { maintenance, sources } = this.#state.plan;
    if (maintenance === undefined) {
      await this.#fix();
      return;
    }
    const names = new Set(maintenance.sources ?? Object.keys(sources));
    const covered = liveSources(this.#state).filter(({ name }) => names.has(name));
    // Nobody needs it at rest.
    if (covered.length === 0) {
      await this.#fix();
      return;
    }
    const entered = await this.#quiesce();
    if (entered === undefined) {
      // A copy of a service that was not at rest would look like one of a service that was.
      for (const source of covered) failSource(source, "the service could not be brought to rest");
      await this.#fix();
      return;
    }
    try {
      await this.#fix();
      const isOver = this.#hasEnded(entered);
      for (const source of covered) {
        const isFixed = source.pinned !== undefined || source.view !== undefined;
        if (isFixed && isOver) failSource(source, WINDOW_TOO_SHORT);
        if (source.pinned !== undefined && source.view === undefined) source.isPinnedAtRest = true;
        if (isFixed || source.failure !== undefined) continue;
        source.isProven = false;
        await captureStage(this.#state, source, this.#stack.overrun);
      }
    } finally {
      await this.#resume(entered, covered);
    }
  }

  async #fix(): Promise<void> {
    await this.#snapshot();
    await this.#pin();
  }

  /** Also where its watchdog's word is still on its way. */
  #hasEnded({ deadlineMs }: MaintenanceWindow): boolean {
    return this.#stack.overrun.aborted || this.#state.services.clock.now() >= deadlineMs;
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

  async #resume(entered: MaintenanceWindow, covered: readonly SourceRun[]): Promise<void> {
    const { recorder } = this.#state;
    // Before the service is let go on: what is late now was late when it was read.
    const isOver = this.#hasEnded(entered);
    await recorder.stage({ stage: "resume" }, async (stage) => {
      await leaveMaintenance(this.#stack, entered);
      if (isOver) {
        stage.warn("the service was brought back by the watchdog: its window was too short");
      }
    });
    for (const source of covered) {
      if (source.isProven || source.view !== undefined) continue;
      // What was read when the service may have been at work again is no picture of it at rest.
      if (isOver) await spoilSource(this.#state, source, WINDOW_TOO_SHORT);
      else await proveSource(this.#state, source);
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
          source.isProven = false;
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
      let spoilt: ComebackError | undefined;
      await recorder.stage(wish, async ({ signal }) => {
        await snapshotter.verify(planned, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          spoilt = notWhole(error);
        });
        await this.#stack.undo(handle);
        if (spoilt !== undefined) throw spoilt;
      });
      for (const source of sources) {
        if (spoilt === undefined) await proveSource(this.#state, source);
        else await spoilSource(this.#state, source, spoilt.message);
      }
    }
  }
}

function notWhole(error: unknown): ComebackError {
  return new ComebackError("snapshotter.failed", "its snapshot did not stay whole", {
    why: textOf(error),
    next: "what was read from it is left out; give it more room, and run the plan again",
    cause: error,
  });
}
