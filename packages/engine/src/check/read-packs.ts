import type { OperationOptions } from "@comeback/core";
import { type Backend, CHECK_BYTES_IN_FLIGHT_MAX, CHECK_PACKS_IN_FLIGHT_MAX } from "@comeback/core";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { loadsInFlight } from "../repository/calls-in-flight.ts";
import { eachConcurrently } from "../repository/repository.ts";
import { Budget } from "./budget.ts";
import type { Reading } from "./plan-readings.ts";
import type { CheckPackOutput } from "./tasks.ts";

/** Loads parts of packs, a bounded number and a bounded amount of bytes at a time. */
export class PackReader {
  readonly #backend: Backend;
  readonly #pool: CpuPool;
  readonly #options: OperationOptions;
  readonly #bytes = new Budget(CHECK_BYTES_IN_FLIGHT_MAX);
  readonly #calls: Budget;

  constructor(backend: Backend, pool: CpuPool, options: OperationOptions) {
    this.#backend = backend;
    this.#pool = pool;
    this.#options = options;
    this.#calls = new Budget(backend.connections);
  }

  /** Runs `work` for each reading; while some are worked on, the next ones are loaded. */
  async each(
    readings: readonly Reading[],
    work: (reading: Reading) => Promise<void>,
  ): Promise<void> {
    const inFlight = Math.min(
      CHECK_PACKS_IN_FLIGHT_MAX,
      loadsInFlight(this.#backend, this.#pool.size),
    );
    await eachConcurrently(readings, inFlight, (reading) =>
      this.#bytes.use(reading.sizeBytes, () => work(reading)),
    );
  }

  load(reading: Reading): Promise<Uint8Array<ArrayBuffer>> {
    const { packId, whole, startOffset, sizeBytes } = reading;
    const range = whole ? {} : { offset: startOffset, length: sizeBytes };
    const file = { type: "pack", name: packId } as const;
    return this.#calls.use(1, () => this.#backend.load(file, { ...this.#options, ...range }));
  }

  /** Loads and verifies. What does not hold is read once more, for the first reading may be bad. */
  async verify(reading: Reading): Promise<{ output: CheckPackOutput; onlyOnce: boolean }> {
    const first = await this.#verifyOnce(reading);
    if (holds(first)) return { output: first, onlyOnce: false };
    const second = await this.#verifyOnce(reading);
    return holds(second) ? { output: second, onlyOnce: true } : { output: second, onlyOnce: false };
  }

  async #verifyOnce(reading: Reading): Promise<CheckPackOutput> {
    const { packId, whole, startOffset, entries } = reading;
    const data = await this.load(reading);
    return this.#pool.run("check.pack", { packId, data, startOffset, whole, entries }, [
      data.buffer,
    ]);
  }
}

function holds(output: CheckPackOutput): boolean {
  return output.problems.length === 0 && output.damagedBlobs.length === 0;
}
