import { type Clock, ComebackError } from "@comeback/core";
import type { ActionSettings, MaintenanceSettings } from "../configuration/schema/action.ts";
import type { ActionServices } from "../undo/undo-services.ts";
import type { UndoHandle, UndoStack } from "../undo/undo-stack.ts";
import { leaveSteps, planAction } from "./plan-action.ts";

export interface ActionOptions {
  readonly services: ActionServices;
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch: then it is undone, whatever the run is doing. */
  readonly deadlineMs?: number | undefined;
}

/** Does one action; resolves to what it did and how each is undone, in the order it was done. */
export async function performAction(
  stack: UndoStack,
  action: ActionSettings,
  { services, signal, deadlineMs }: ActionOptions,
): Promise<UndoHandle[]> {
  const handles: UndoHandle[] = [];
  const either = AbortSignal.any([signal, stack.overrun]);
  for (const { description, undo: step, perform } of await planAction(action, services, either)) {
    either.throwIfAborted();
    if (step === undefined) await perform(either);
    else {
      const request = { step, description, deadlineMs };
      handles.push(await stack.perform(request, () => perform(either)));
    }
  }
  return handles;
}

/** The service is at rest, until `deadlineMs` at the latest. */
export interface MaintenanceWindow {
  readonly deadlineMs: number;
  /** In the order in which it was done; it is undone the other way round. */
  readonly handles: readonly UndoHandle[];
}

/**
 * Brings a service to rest. What ends the maintenance is in the journal before the first action is
 * done, so that it runs last and however it ends; where an action fails, all is undone.
 */
export async function enterMaintenance(
  stack: UndoStack,
  settings: MaintenanceSettings,
  options: {
    readonly services: ActionServices;
    readonly signal: AbortSignal;
    readonly clock: Clock;
  },
): Promise<MaintenanceWindow> {
  const { services, signal, clock } = options;
  const deadlineMs = clock.now() + settings.timeout;
  const handles: UndoHandle[] = [];
  // The newest is undone first: in the journal, the last one comes first.
  const steps: Awaited<ReturnType<typeof leaveSteps>> = [];
  for (const action of settings.leave) steps.push(...(await leaveSteps(action, services, signal)));
  try {
    for (const { step, description } of steps.toReversed()) {
      handles.push(await stack.perform({ step, description, deadlineMs }, () => Promise.resolve()));
    }
    for (const action of settings.enter) {
      handles.push(...(await performAction(stack, action, { services, signal, deadlineMs })));
    }
  } catch (error) {
    // What fails here stays in the journal: the end of the stack tries again, and tells.
    await leaveMaintenance(stack, { deadlineMs, handles }).catch(() => undefined);
    throw error;
  }
  return { deadlineMs, handles };
}

/**
 * Brings the service back: undoes, newest first, what was done, then runs what `leave` lists, in its
 * order. Goes on where one fails; rejects at the end with the first failure.
 */
export async function leaveMaintenance(
  stack: UndoStack,
  { handles }: MaintenanceWindow,
): Promise<void> {
  const errors: unknown[] = [];
  for (const handle of handles.toReversed()) {
    try {
      await stack.undo(handle);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new ComebackError("undo.incomplete", "the service could not be brought back whole", {
      why: `${errors.length} things could not be undone`,
      next: "mend what stands in the way, then run `comeback run --undo`",
      cause: errors[0],
    });
  }
}
