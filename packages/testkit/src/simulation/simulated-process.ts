import { ComebackError, type RepositoryFile } from "@comeback/core";
import type { SeededRandom } from "../seeded-random.ts";
import { SimulatedBackend } from "./simulated-backend.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { Simulation } from "./simulation.ts";

export type Perform<T = unknown> = (
  process: number,
  nowMs: number,
  random: SeededRandom,
) => Promise<T>;

/** What a process asks of a store; without one it only waits for its turn. */
export interface CallRequest {
  readonly store: SimulatedStore | undefined;
  readonly method: string;
  readonly file: RepositoryFile;
  readonly signal: AbortSignal | undefined;
  readonly perform: Perform;
  /** Has a part of a file stand under its name, as a store that is not atomic leaves it. */
  readonly tear?: Perform;
}

export interface PendingCall extends CallRequest {
  readonly process: SimulatedProcess;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Somebody who works on the stores, in one process after the other. */
export class SimulatedClient {
  readonly name: string;
  readonly simulation: Simulation;
  /** Calls so far that did not simply work. */
  troubles = 0;
  #process: SimulatedProcess;

  constructor(name: string, simulation: Simulation) {
    this.name = name;
    this.simulation = simulation;
    this.#process = simulation.newProcess(this);
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  /** Goes on in a new process. */
  newProcess(): SimulatedProcess {
    this.#process = this.simulation.newProcess(this);
    return this.#process;
  }

  /** Resolves when it is this client's turn. */
  async turn(method: string): Promise<void> {
    const file = { type: "config", name: "" } as const;
    const perform = (): Promise<void> => Promise.resolve();
    const none = undefined;
    await this.#process.call({ store: none, signal: none, method, file, perform });
  }

  note(text: string): void {
    this.simulation.note(this.name, text);
  }
}

/** One process of a client. Once it has crashed, its calls fail, and what it left stays behind. */
export class SimulatedProcess {
  readonly client: SimulatedClient;
  readonly number: number;
  crashed = false;
  /** Calls are made at once and always work: for what is not part of the run. */
  isDirect = false;
  readonly #simulation: Simulation;

  constructor(client: SimulatedClient, number: number, simulation: Simulation) {
    this.client = client;
    this.number = number;
    this.#simulation = simulation;
  }

  backend(store: SimulatedStore): SimulatedBackend {
    return new SimulatedBackend(this, store);
  }

  async call(request: CallRequest): Promise<unknown> {
    request.signal?.throwIfAborted();
    if (this.crashed) throw crashed();
    const { clock, random } = this.#simulation;
    if (this.isDirect) return request.perform(this.number, clock.now(), random);
    return new Promise((resolve, reject) => {
      this.#simulation.enqueue({ ...request, process: this, resolve, reject });
    });
  }
}

/** What the calls of a crashed process fail with. */
export function crashed(): ComebackError {
  return new ComebackError("backend.io", "the process has crashed");
}
