import { mock } from "node:test";
import { ComebackError } from "@comeback/core";
import { SeededRandom } from "../seeded-random.ts";
import { SimulatedClock } from "../simulated-clock.ts";
import {
  crashed,
  type PendingCall,
  SimulatedClient,
  SimulatedProcess,
} from "./simulated-process.ts";
import { Trace } from "./trace.ts";

/** What becomes of a call. */
type Fate =
  | "works"
  | "fails"
  | "answer lost"
  | "torn"
  | "crash before"
  | "crash after"
  | "crash, torn"
  | "duplicates";

/** How much goes wrong, in per cent of all calls. */
export interface SimulatedTrouble {
  readonly failuresPercent: number;
  readonly crashesPercent: number;
  /** Of saves that fail, or come to nothing in a crash: those that leave a part of the file. */
  readonly tornPercent: number;
  /** Of lists. */
  readonly duplicatesPercent: number;
  /** How often another client has its turn although the last one could go on. */
  readonly switchesPercent: number;
  /** How often time moves on by one of `jumpsMs`. */
  readonly jumpsPercent: number;
  readonly jumpsMs: readonly number[];
  /** How many of these jumps one client sleeps through, and on: its machine is suspended. */
  readonly sleepsPercent: number;
}

/** While time jumps, locks are refreshed once in two such steps; they are stale after 30 minutes. */
const JUMP_STEP_MS = 10 * 60_000;
/** One call takes up to this long. */
const CALL_MAX_MS = 60;
/** A run that makes more calls than any real one is stuck. */
const CALLS_MAX = 50_000;
/** Between two writes is where a crash or an error can do harm. */
const WRITE_TROUBLE_FACTOR = 5;
/** For so many calls of others a client may sleep. */
const SLEEP_MAX_CALLS = 150;
/** Turns of the event loop after which whatever waits, waits for a call or for time. */
const QUIET_TURNS = 3;

const CALM: SimulatedTrouble = {
  failuresPercent: 0,
  crashesPercent: 0,
  tornPercent: 0,
  duplicatesPercent: 0,
  switchesPercent: 0,
  jumpsPercent: 0,
  jumpsMs: [],
  sleepsPercent: 0,
};

/**
 * Runs several clients of shared stores in one thread. Each call of a client waits until the
 * simulation lets it go on; the seed decides which one that is, whether it works, whether the
 * process crashes at it, and when time passes. The same seed gives the same run.
 */
export class Simulation implements Disposable {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly trace: Trace = new Trace();
  readonly #startMs: number = this.clock.now();
  #trouble: SimulatedTrouble;
  readonly #pending: PendingCall[] = [];
  readonly #abortListeners = new WeakMap<PendingCall, () => void>();
  readonly #failures: unknown[] = [];
  #lastClient = "";
  #sleeping = { client: "", calls: 0 };
  #clients = 0;
  #processes = 0;
  #busy = 0;
  #calls = 0;

  constructor(seed: number, trouble: SimulatedTrouble) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.#trouble = trouble;
    // Locks are refreshed by it; SimulatedClock has no intervals.
    mock.timers.enable({ apis: ["setInterval"] });
    // Long work gives others a turn after some time: on a busy machine that would be now or then.
    mock.method(performance, "now", () => this.clock.now());
  }

  /** Adds a client, which starts with `run`. Its program must not fail: a failure ends the run. */
  client(name: string, program: (client: SimulatedClient) => Promise<void>): void {
    this.#clients++;
    const client = new SimulatedClient(name, this);
    void client
      .turn("start")
      .then(() => program(client))
      .catch((error: unknown) => this.#failures.push(error))
      .finally(() => this.#clients--);
  }

  /** A client whose calls are made at once and always work, for looking at what a run left. */
  observer(name: string): SimulatedClient {
    const client = new SimulatedClient(name, this);
    client.process.isDirect = true;
    return client;
  }

  /** Until every client is done. Further ones may come after. */
  async run(): Promise<void> {
    for (;;) {
      await this.#settle();
      if (this.#failures.length > 0) throw this.#failures[0];
      if (this.#clients === 0) return;
      await this.#step();
    }
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.#trouble = CALM;
  }

  /** From now on this much goes wrong. */
  disturb(trouble: SimulatedTrouble): void {
    this.#trouble = trouble;
  }

  [Symbol.dispose](): void {
    // Also lets go of the mocks, and with them of this run.
    mock.reset();
  }

  /** Lets time pass; locks are refreshed meanwhile, as they would be. */
  async pass(byMs: number): Promise<void> {
    const endMs = this.clock.now() + byMs;
    while (this.clock.now() < endMs) {
      const stepMs = Math.min(JUMP_STEP_MS, endMs - this.clock.now());
      await this.clock.advance(stepMs);
      mock.timers.tick(stepMs);
      await this.#settle();
      if (byMs < JUMP_STEP_MS) continue;
      for (let call = this.#lockCall(); call !== undefined; call = this.#lockCall()) {
        await this.#make(call, "works");
        await this.#settle();
      }
    }
  }

  /** What goes on outside of the run: nobody else moves meanwhile. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
    }
  }

  newProcess(client: SimulatedClient): SimulatedProcess {
    return new SimulatedProcess(client, ++this.#processes, this);
  }

  enqueue(call: PendingCall): void {
    const onAbort = (): void => {
      if (this.#take(call)) call.reject(call.signal?.reason);
    };
    this.#pending.push(call);
    this.#abortListeners.set(call, onAbort);
    call.signal?.addEventListener("abort", onAbort, { once: true });
  }

  note(client: string, text: string): void {
    const seconds = ((this.clock.now() - this.#startMs) / 1000).toFixed(3);
    this.trace.add(`${seconds.padStart(10)} ${client} ${text}`);
  }

  async #step(): Promise<void> {
    const { jumpsPercent, jumpsMs, sleepsPercent } = this.#trouble;
    if (this.#sleeping.calls-- <= 0 || this.#awake.length === 0) {
      this.#sleeping = { client: "", calls: 0 };
    }
    if (this.#pending.length === 0) {
      const wakeAtMs = this.clock.nextWakeAtMs;
      if (wakeAtMs === undefined) throw new Error("every client waits, and nothing will happen");
      return this.pass(wakeAtMs - this.clock.now());
    }
    if (this.random.chance(jumpsPercent)) {
      const jumpMs = this.random.pick(jumpsMs);
      this.note("-", `${jumpMs / 1000} s pass`);
      if (this.random.chance(sleepsPercent)) {
        const client = this.random.pick(this.#pending).process.client.name;
        this.#sleeping = { client, calls: this.random.integer(1, SLEEP_MAX_CALLS) };
        this.note(client, `sleeps for ${this.#sleeping.calls} calls`);
      }
      await this.pass(jumpMs);
      return;
    }
    if (++this.#calls > CALLS_MAX) throw new Error("the run does not end");
    const call = this.#choose();
    await this.pass(this.random.integer(0, CALL_MAX_MS));
    // Another call of the same process may have been given up while time passed.
    if (this.#pending.includes(call)) await this.#make(call, this.#fate(call));
  }

  /** Calls of those who do not sleep. */
  get #awake(): PendingCall[] {
    return this.#pending.filter(({ process }) => process.client.name !== this.#sleeping.client);
  }

  #choose(): PendingCall {
    const pending = this.#awake;
    const own = pending.filter(({ process }) => process.client.name === this.#lastClient);
    const stay = own.length > 0 && !this.random.chance(this.#trouble.switchesPercent);
    const call = this.random.pick(stay ? own : pending);
    this.#lastClient = call.process.client.name;
    return call;
  }

  #fate({ method, store, file, tear }: PendingCall): Fate {
    if (store === undefined) return "works";
    const { failuresPercent, crashesPercent, tornPercent, duplicatesPercent } = this.#trouble;
    const isWrite = (method === "save" || method === "remove") && file.type !== "lock";
    const factor = isWrite ? WRITE_TROUBLE_FACTOR : 1;
    if (this.random.chance(crashesPercent * factor)) {
      if (this.random.chance(50)) return "crash after";
      return tear !== undefined && this.random.chance(tornPercent) ? "crash, torn" : "crash before";
    }
    if (this.random.chance(failuresPercent * factor)) {
      if (this.random.chance(50)) return "answer lost";
      return tear !== undefined && this.random.chance(tornPercent) ? "torn" : "fails";
    }
    if (method === "list" && this.random.chance(duplicatesPercent)) return "duplicates";
    return "works";
  }

  #lockCall(): PendingCall | undefined {
    return this.#awake.find(
      ({ file, method }) => file.type === "lock" && (method === "save" || method === "remove"),
    );
  }

  async #make(call: PendingCall, fate: Fate): Promise<void> {
    this.#take(call);
    const { process } = call;
    if (fate !== "works") process.client.troubles++;
    const skipped = fate === "fails" || fate === "crash before";
    let result: unknown;
    let failure: unknown;
    let outcome = "";
    if (fate === "torn" || fate === "crash, torn") {
      await call.tear?.(process.number, this.clock.now(), this.random);
    } else if (!skipped) {
      try {
        result = await call.perform(process.number, this.clock.now(), this.random);
        if (fate === "duplicates") result = [...(result as []), ...(result as []).slice(0, 3)];
        if (call.method === "list") outcome = ` (${(result as []).length})`;
      } catch (error) {
        failure = error;
        outcome = ` (${(error as Error).message.split(" ").slice(2).join(" ")})`;
      }
    }
    if (call.store !== undefined || fate !== "works") {
      const file = this.trace.label(call.file.type, call.file.name);
      const ending = fate === "works" ? "" : `: ${fate}`;
      this.note(process.client.name, `${call.method} ${file}${outcome}${ending}`);
    }
    if (fate === "crash before" || fate === "crash after" || fate === "crash, torn") {
      await this.#crash(process);
      call.reject(crashed());
    } else if (fate === "fails" || fate === "answer lost" || fate === "torn") {
      call.reject(new ComebackError("backend.io", "a simulated failure", { retryable: true }));
    } else if (failure !== undefined) {
      call.reject(failure);
    } else {
      call.resolve(result);
    }
  }

  /** What the process has under way is made, or is not; nobody hears of it. */
  async #crash(process: SimulatedProcess): Promise<void> {
    process.crashed = true;
    for (const call of this.#pending.filter((other) => other.process === process)) {
      this.#take(call);
      const isWrite = call.method === "save" || call.method === "remove";
      if (isWrite && this.random.chance(50)) {
        const file = this.trace.label(call.file.type, call.file.name);
        this.note(process.client.name, `${call.method} ${file}: under way at the crash`);
        await call.perform(process.number, this.clock.now(), this.random).catch(() => {});
      }
      call.reject(crashed());
    }
  }

  #take(call: PendingCall): boolean {
    const place = this.#pending.indexOf(call);
    if (place < 0) return false;
    this.#pending.splice(place, 1);
    // Node keeps a signal that depends on others for as long as anybody listens to it.
    const onAbort = this.#abortListeners.get(call);
    if (onAbort !== undefined) call.signal?.removeEventListener("abort", onAbort);
    return true;
  }

  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      await new Promise((resolve) => void setImmediate(resolve));
      quiet = this.#busy > 0 ? 0 : quiet + 1;
    }
  }
}
