import { archiveHandlers } from "../archive/worker-tasks.ts";
import { checkHandlers } from "../check/worker-tasks.ts";
import { copyHandlers } from "../copy/worker-tasks.ts";
import { dumpHandlers } from "../dump/worker-tasks.ts";
import { pruneHandlers } from "../prune/worker-tasks.ts";
import { restoreHandlers } from "../restore/worker-tasks.ts";
import { serializeError } from "./cpu-pool.ts";
import type { ReplyMessage, TaskMessage, Tasks } from "./protocol.ts";
import type { HandlersFor, TaskResult, WorkerContext } from "./worker-context.ts";

/** Everything a worker can do is synchronous: one task after the other, no event loop in between. */
const handlers: HandlersFor<Tasks> = {
  ...archiveHandlers,
  ...checkHandlers,
  ...copyHandlers,
  ...dumpHandlers,
  ...pruneHandlers,
  ...restoreHandlers,
};

/** Does one task, and makes the reply, which may say that it failed. */
export function answerTask(
  context: WorkerContext | undefined,
  message: TaskMessage,
): { readonly reply: ReplyMessage; readonly transfer: readonly ArrayBuffer[] } {
  const { number, kind, input } = message;
  try {
    if (context === undefined) throw new Error("a task came before the setup");
    const handler = handlers[kind] as (c: WorkerContext, i: unknown) => TaskResult<unknown>;
    const result = handler(context, input);
    return { reply: { number, output: result.output }, transfer: result.transfer ?? [] };
  } catch (error) {
    return { reply: { number, error: serializeError(error) }, transfer: [] };
  }
}
