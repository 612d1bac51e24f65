import { EventEmitter } from "node:events";
import type { Transferable } from "node:worker_threads";
import type { Random } from "@comeback/core";
import { answerTask } from "./answer-task.ts";
import type { SetupMessage, TaskMessage } from "./protocol.ts";
import { replaceThreads, type TaskWorker } from "./start-worker.ts";
import { WorkerContext } from "./worker-context.ts";

/**
 * Has the pools of this process do their tasks in this thread, in the order in which they come and
 * with the random numbers that are handed in, until the result is disposed. For tests that replay a
 * run exactly: threads take turns as they like.
 */
export function runTasksInThisThread(random: Random): Disposable {
  return replaceThreads(() => ({
    worker: new WorkerInThisThread(random),
    end: new Int32Array(1),
  }));
}

/** Takes the messages of a pool as a worker thread does; they are copied or transferred as there. */
class WorkerInThisThread extends EventEmitter implements TaskWorker {
  readonly #random: Random;
  #context: WorkerContext | undefined;
  threadId = 0;

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  postMessage(
    message: SetupMessage | TaskMessage | null,
    transfer: readonly Transferable[] = [],
  ): void {
    // A pool gives up its tasks before it ends its threads: nobody waits for an answer any more.
    if (message === null) return void this.terminate();
    if ("setup" in message) {
      this.#context = new WorkerContext(structuredClone(message.setup), this.#random);
      return;
    }
    const task = structuredClone(message, { transfer: [...transfer] as ArrayBuffer[] });
    queueMicrotask(() => {
      if (this.threadId < 0) return;
      const { reply, transfer: moved } = answerTask(this.#context, task);
      this.emit("message", structuredClone(reply, { transfer: [...moved] }));
    });
  }

  ref(): void {}

  unref(): void {}

  terminate(): Promise<number> {
    this.threadId = -1;
    this.#context?.[Symbol.dispose]();
    queueMicrotask(() => this.emit("exit", 0));
    return Promise.resolve(0);
  }
}
