import { availableParallelism } from "node:os";
import { type Transferable, Worker } from "node:worker_threads";
import type { ReplyMessage, SetupMessage, TaskMessage, WorkerSetup } from "./protocol.ts";
import { workerEntry } from "./worker-entry.ts";

/** Young generation of a worker: its garbage is short-lived messages, its bulk is outside the heap. */
const WORKER_YOUNG_GENERATION_MB = 4;

/** A thread that was told to end and has not done so after this long is ended by force. */
const END_MAX_MS = 5_000;

/** What a pool uses of a worker thread. */
export interface TaskWorker {
  /** -1 once it has ended. */
  readonly threadId: number;
  ref(): void;
  unref(): void;
  on(event: "message", listener: (reply: ReplyMessage) => void): unknown;
  on(event: "error", listener: (cause: unknown) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  once(event: "exit", listener: (code: number) => void): unknown;
  removeAllListeners(): unknown;
  postMessage(message: SetupMessage | TaskMessage | null, transfer?: readonly Transferable[]): void;
  terminate(): Promise<number>;
}

/** A worker thread, and the word in shared memory that tells it to end. */
export interface Thread {
  readonly worker: TaskWorker;
  readonly end: Int32Array;
}

/** Threads that wait for a pool to take them. */
const waiting: Thread[] = [];

/** How many callers will end what waits: without any, no pool may leave its threads behind. */
let endersOfWaiting = 0;

let startOne: () => Thread = start;

/** Pools get what `make` makes in the place of threads, until the result is disposed. */
export function replaceThreads(make: () => Thread): Disposable {
  startOne = make;
  return {
    [Symbol.dispose]() {
      startOne = start;
    },
  };
}

/**
 * Starts worker threads before there is work for them: loading their program takes a tenth of a
 * second, during which a command derives a key from its password anyway. Disposing the result ends those
 * that no pool has taken; it has to come before the end of the process.
 */
export function startWorkersEarly(count: number = availableParallelism()): AsyncDisposable {
  while (waiting.length < count) letWait(start());
  endersOfWaiting++;
  return {
    async [Symbol.asyncDispose]() {
      endersOfWaiting--;
      await Promise.all(waiting.splice(0).map(endThread));
    },
  };
}

/** Takes back a thread that has nothing left to do: the next pool need not start one. */
export async function returnThread(thread: Thread): Promise<void> {
  if (endersOfWaiting > 0 && thread.worker.threadId >= 0) letWait(thread);
  else await endThread(thread);
}

function letWait(thread: Thread): void {
  const { worker } = thread;
  worker.removeAllListeners();
  worker.unref();
  // Whoever needs a thread then starts another one, and learns what is wrong.
  const forget = (): void => {
    const place = waiting.indexOf(thread);
    if (place >= 0) waiting.splice(place, 1);
  };
  worker.on("error", forget);
  worker.on("exit", forget);
  waiting.push(thread);
}

/** A thread with what it needs before its first task. */
export function startThread(setup: WorkerSetup): Thread {
  const thread = waiting.pop() ?? startOne();
  const { worker } = thread;
  worker.removeAllListeners();
  worker.ref();
  const message: SetupMessage = { setup };
  worker.postMessage(message);
  return thread;
}

/**
 * Has a thread end by itself, after the task it is busy with: a thread that is ended by force while
 * it is inside native code takes the whole process with it.
 */
export async function endThread({ worker, end }: Thread): Promise<void> {
  // One that has ended has no id any more, and would not say so a second time.
  if (worker.threadId < 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.once("exit", () => resolve());
  // One that failed has ended, or is about to.
  worker.on("error", () => {});
  worker.ref();
  Atomics.store(end, 0, 1);
  worker.postMessage(null);
  const timer = setTimeout(() => void worker.terminate().then(() => resolve()), END_MAX_MS);
  await promise;
  clearTimeout(timer);
}

function start(): Thread & { readonly worker: Worker } {
  const memory = new SharedArrayBuffer(4);
  const worker = new Worker(workerEntry(), {
    workerData: memory,
    resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_GENERATION_MB },
  });
  return { worker, end: new Int32Array(memory) };
}
