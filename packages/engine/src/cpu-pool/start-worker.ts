import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SetupMessage, WorkerSetup } from "./protocol.ts";
import { workerEntry } from "./worker-entry.ts";

/** Young generation of a worker: its garbage is short-lived messages, its bulk is outside the heap. */
const WORKER_YOUNG_GENERATION_MB = 4;

/** Threads that wait for a pool to take them. */
const waiting: Worker[] = [];

/**
 * Starts worker threads before there is work for them: loading their program takes a tenth of a
 * second, during which a command derives a key from its password anyway. They do not keep the
 * process alive.
 */
export function startWorkersEarly(count: number = availableParallelism()): void {
  while (waiting.length < count) {
    const worker = start();
    worker.unref();
    // Whoever needs a thread then starts another one, and learns what is wrong.
    const forget = (): void => {
      const place = waiting.indexOf(worker);
      if (place >= 0) waiting.splice(place, 1);
    };
    worker.on("error", forget).on("exit", forget);
    waiting.push(worker);
  }
}

/** A thread with what it needs before its first task. */
export function startWorker(setup: WorkerSetup): Worker {
  const worker = waiting.pop() ?? start();
  worker.removeAllListeners();
  worker.ref();
  const message: SetupMessage = { setup };
  worker.postMessage(message);
  return worker;
}

function start(): Worker {
  return new Worker(workerEntry(), {
    resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
  });
}
