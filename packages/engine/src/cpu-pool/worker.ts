import { parentPort, workerData } from "node:worker_threads";
import { archiveHandlers } from "../archive/worker-tasks.ts";
import { checkHandlers } from "../check/worker-tasks.ts";
import { restoreHandlers } from "../restore/worker-tasks.ts";
import { serializeError } from "./cpu-pool.ts";
import type { ReplyMessage, TaskMessage, Tasks, WorkerSetup } from "./protocol.ts";
import { type HandlersFor, type TaskResult, WorkerContext } from "./worker-context.ts";

/** Everything a worker can do is synchronous: one task after the other, no event loop in between. */
const handlers: HandlersFor<Tasks> = { ...archiveHandlers, ...checkHandlers, ...restoreHandlers };

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker thread");
const context = new WorkerContext(workerData as WorkerSetup);

port.on("message", ({ number, kind, input }: TaskMessage) => {
  let reply: ReplyMessage;
  let transfer: readonly ArrayBuffer[] = [];
  try {
    const handler = handlers[kind] as (c: WorkerContext, i: unknown) => TaskResult<unknown>;
    const result = handler(context, input);
    reply = { number, output: result.output };
    transfer = result.transfer ?? [];
  } catch (error) {
    reply = { number, error: serializeError(error) };
  }
  port.postMessage(reply, [...transfer]);
});
