import { availableParallelism } from "node:os";
import type { Transferable } from "node:worker_threads";
import { ComebackError, type ErrorCode, type ExitCode, TASKS_PER_WORKER_MAX } from "@comeback/core";
import type {
  ReplyMessage,
  SerializedError,
  TaskKind,
  TaskMessage,
  Tasks,
  WorkerSetup,
} from "./protocol.ts";
import { endThread, returnThread, startThread, type Thread } from "./start-worker.ts";

export interface CpuPoolOptions {
  readonly setup: WorkerSetup;
  /** Worker threads at most; default: one per core. They start when there is work for them. */
  readonly workers?: number;
  /**
   * Asked before a worker gets a task, with how many they all have; default: always. Call `resume`
   * once the answer may be another.
   */
  readonly mayHandOut?: (tasksUnderWay: number) => boolean;
}

interface Pending {
  readonly kind: TaskKind;
  readonly input: unknown;
  readonly transfer: readonly Transferable[];
  resolve(output: unknown): void;
  reject(error: unknown): void;
}

interface Member {
  readonly thread: Thread;
  readonly running: Map<number, Pending>;
}

/**
 * Threads for work that needs a core: each has its own codec, chunker and buffers, and shares
 * nothing with the others but the blob table.
 */
export class CpuPool implements AsyncDisposable {
  readonly size: number;
  readonly #setup: WorkerSetup;
  readonly #mayHandOut: (tasksUnderWay: number) => boolean;
  readonly #members: Member[] = [];
  readonly #queue: Pending[] = [];
  readonly #waiting: (() => void)[] = [];
  #number = 0;
  #failure: unknown;
  #disposed = false;

  constructor(options: CpuPoolOptions) {
    this.size = options.workers ?? availableParallelism();
    this.#setup = options.setup;
    this.#mayHandOut = options.mayHandOut ?? (() => true);
  }

  /** Runs one task on the next free worker. Bound the queue with `room`. */
  run<K extends TaskKind>(
    kind: K,
    input: Tasks[K]["input"],
    transfer: readonly Transferable[] = [],
  ): Promise<Tasks[K]["output"]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#queue.push({ kind, input, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  /** Runs a task once on every worker that has started, behind what it is doing. */
  async runOnEach<K extends TaskKind>(
    kind: K,
    input: Tasks[K]["input"],
  ): Promise<Tasks[K]["output"][]> {
    if (this.#failure !== undefined) throw this.#failure;
    const outputs = this.#members.map(
      (member) =>
        new Promise((resolve, reject) => {
          this.#send(member, { kind, input, transfer: [], resolve, reject });
        }),
    );
    return Promise.all(outputs) as Promise<Tasks[K]["output"][]>;
  }

  /** Resolves once a worker would take a task without queueing it. */
  async room(): Promise<void> {
    while (!this.#hasRoom()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Whether `room` would resolve at once. */
  get hasRoom(): boolean {
    return this.#hasRoom();
  }

  /** Hands out what was held back. */
  resume(): void {
    if (this.#queue.length === 0) return;
    this.#dispatch();
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const isIdle =
      this.#failure === undefined && this.#members.every(({ running }) => running.size === 0);
    this.#fail(new ComebackError("interrupted", "the work was ended before it was complete"));
    const release = isIdle ? returnThread : endThread;
    await Promise.all(this.#members.splice(0).map(({ thread }) => release(thread)));
  }

  #hasRoom(): boolean {
    if (this.#queue.length > 0) return false;
    if (this.#members.length < this.size) return true;
    return this.#members.some(({ running }) => running.size < TASKS_PER_WORKER_MAX);
  }

  get #tasksUnderWay(): number {
    return this.#members.reduce((sum, { running }) => sum + running.size, 0);
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const member = this.#nextMember();
      if (member === undefined || !this.#mayHandOut(this.#tasksUnderWay)) return;
      this.#send(member, this.#queue.shift() as Pending);
    }
  }

  /** An idle worker, else a new one, else the least busy one that may still queue. */
  #nextMember(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (best === undefined || member.running.size < best.running.size) best = member;
    }
    if (best?.running.size === 0) return best;
    if (this.#members.length < this.size) return this.#start();
    return best !== undefined && best.running.size < TASKS_PER_WORKER_MAX ? best : undefined;
  }

  #start(): Member {
    const thread = startThread(this.#setup);
    const { worker } = thread;
    const member: Member = { thread, running: new Map() };
    worker.on("message", (reply: ReplyMessage) => this.#onReply(member, reply));
    worker.on("error", (cause) => this.#fail(workerFailed(cause)));
    worker.on("exit", (code) => {
      if (!this.#disposed) this.#fail(workerFailed(new Error(`it ended with code ${code}`)));
    });
    this.#members.push(member);
    return member;
  }

  #send(member: Member, task: Pending): void {
    const number = ++this.#number;
    member.running.set(number, task);
    const message: TaskMessage = { number, kind: task.kind, input: task.input };
    member.thread.worker.postMessage(message, task.transfer);
  }

  #onReply(member: Member, reply: ReplyMessage): void {
    const task = member.running.get(reply.number);
    member.running.delete(reply.number);
    this.#dispatch();
    if ("error" in reply) task?.reject(deserializeError(reply.error));
    else task?.resolve(reply.output);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    const tasks = [
      ...this.#queue.splice(0),
      ...this.#members.flatMap((m) => [...m.running.values()]),
    ];
    for (const member of this.#members) member.running.clear();
    for (const task of tasks) task.reject(this.#failure);
    this.#wake();
  }
}

function workerFailed(cause: unknown): ComebackError {
  return new ComebackError("internal.assertion", "a worker thread failed", {
    next: "run the command again; if it happens again, please report it",
    cause,
  });
}

export function serializeError(error: unknown): SerializedError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const plain = { message: error.message, stack: error.stack };
  if (!(error instanceof ComebackError)) return plain;
  const { code, why, next, exitCode, context } = error;
  return { ...plain, comeback: { code, why, next, exitCode, context } };
}

function deserializeError(serialized: SerializedError): Error {
  if (serialized.comeback === undefined) {
    const error = new Error(serialized.message);
    if (serialized.stack !== undefined) error.stack = serialized.stack;
    return error;
  }
  const { code, why, next, exitCode, context } = serialized.comeback;
  return new ComebackError(code as ErrorCode, serialized.message, {
    ...(why === undefined ? {} : { why }),
    ...(next === undefined ? {} : { next }),
    exitCode: exitCode as ExitCode,
    context,
  });
}
