import { parentPort, workerData } from "node:worker_threads";
import { archiveHandlers } from "../archive/worker-tasks.ts";
import { checkHandlers } from "../check/worker-tasks.ts";
import { restoreHandlers } from "../restore/worker-tasks.ts";
import { serializeError } from "./cpu-pool.ts";
import type { ReplyMessage, SetupMessage, TaskMessage, Tasks } from "./protocol.ts";
import { type HandlersFor, type TaskResult, WorkerContext } from "./worker-context.ts";

/** Everything a worker can do is synchronous: one task after the other, no event loop in between. */
const handlers: HandlersFor<Tasks> = { ...archiveHandlers, ...checkHandlers, ...restoreHandlers };

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker thread");
const end = new Int32Array(workerData as SharedArrayBuffer);
let context: WorkerContext | undefined;

port.on("message", (message: SetupMessage | TaskMessage | null) => {
  // Told to end: what is still queued is not wanted any more, and without its port the thread ends.
  if (message === null || Atomics.load(end, 0) === 1) {
    port.close();
    return;
  }
  if ("setup" in message) {
    context = new WorkerContext(message.setup);
    return;
  }
  const { number, kind, input } = message;
  let reply: ReplyMessage;
  let transfer: readonly ArrayBuffer[] = [];
  try {
    if (context === undefined) throw new Error("a task came before the setup");
    const handler = handlers[kind] as (c: WorkerContext, i: unknown) => TaskResult<unknown>;
    const result = handler(context, input);
    reply = { number, output: result.output };
    transfer = result.transfer ?? [];
  } catch (error) {
    reply = { number, error: serializeError(error) };
  }
  port.postMessage(reply, [...transfer]);
});
