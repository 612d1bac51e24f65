import { AsyncLocalStorage } from "node:async_hooks";
import type { CommandRequest, CommandRunner } from "@comeback/core";

/** In the environment of every program that a step started, and of those that these started. */
export const MARK_NAME = "COMEBACK_UNDO_STEP";

const currentMark = new AsyncLocalStorage<string>();

export function markOf(runId: string, stepId: number): string {
  return `${runId}/${stepId}`;
}

/** Whatever `work` runs through a `markedCommandRunner` bears the mark. */
export function withMark<T>(mark: string, work: () => Promise<T>): Promise<T> {
  return currentMark.run(mark, work);
}

/** What undoes must not be ended as what is undone. */
export function withoutMark<T>(work: () => Promise<T>): Promise<T> {
  return currentMark.exit(work);
}

/**
 * The same runner, whose programs bear the mark of the step that they are run for. A program outlives
 * the run that is killed, and would go on to do what is just being undone: by its mark it is found
 * and ended first.
 */
export function markedCommandRunner(runner: CommandRunner): CommandRunner {
  const marked = (request: CommandRequest): CommandRequest => {
    const mark = currentMark.getStore();
    return mark === undefined
      ? request
      : { ...request, env: { ...request.env, [MARK_NAME]: mark } };
  };
  return {
    run: (request) => runner.run(marked(request)),
    stream: (request) => runner.stream(marked(request)),
  };
}
