import { parentPort, workerData } from "node:worker_threads";
import { answerTask } from "./answer-task.ts";
import type { SetupMessage, TaskMessage } from "./protocol.ts";
import { WorkerContext } from "./worker-context.ts";

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker thread");
const end = new Int32Array(workerData as SharedArrayBuffer);
let context: WorkerContext | undefined;

port.on("message", (message: SetupMessage | TaskMessage | null) => {
  // Told to end: what is still queued is not wanted any more, and without its port the thread ends.
  if (message === null || Atomics.load(end, 0) === 1) {
    port.close();
    context?.[Symbol.dispose]();
    return;
  }
  if ("setup" in message) {
    context = new WorkerContext(message.setup);
    return;
  }
  const { reply, transfer } = answerTask(context, message);
  port.postMessage(reply, [...transfer]);
});
