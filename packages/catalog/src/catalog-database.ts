import {
  CATALOG_BUSY_MAX_MS,
  CATALOG_BUSY_POLL_MAX_MS,
  type Clock,
  ComebackError,
} from "@comeback/core";
import type { Kysely, Transaction } from "kysely";
import { catalogFailure, type FailureKind } from "./failures.ts";
import type { Tables } from "./tables.ts";

export interface DatabaseOptions {
  readonly clock: Clock;
  /** Ends waiting for others. What can be done at once is done all the same: how it ended, say. */
  readonly signal: AbortSignal;
}

interface Failing extends DatabaseOptions {
  /** Where it is, without a password. */
  readonly place: string;
  readonly failureKind: (error: unknown) => FailureKind;
}

interface Parts extends Failing {
  readonly db: Kysely<Tables>;
  readonly dialect: "sqlite" | "postgres";
  readonly close: () => Promise<void>;
}

/** A database of either kind, with our errors, and with patience while other processes write. */
export class CatalogDatabase implements AsyncDisposable {
  readonly dialect: "sqlite" | "postgres";
  readonly place: string;
  readonly #parts: Parts;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.dialect = parts.dialect;
    this.place = parts.place;
    this.#parts = parts;
  }

  read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.#track(() => work(this.#parts.db));
  }

  /** All of `work` or nothing; it may be called again where others were in the way. */
  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#track(() => this.#parts.db.transaction().execute(work));
  }

  /** Waits for what is under way; every later call rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#parts.close();
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new ComebackError("catalog.unusable", `the catalog ${this.place} is closed`);
    }
    const doing = CatalogDatabase.waitWhileBusy(this.#parts, work);
    this.#underWay.add(doing);
    try {
      return await doing;
    } finally {
      this.#underWay.delete(doing);
    }
  }

  /** Does `work` again and again while others are in its way; its errors become ours. */
  static async waitWhileBusy<T>(failing: Failing, work: () => Promise<T>): Promise<T> {
    const { clock, signal, place, failureKind } = failing;
    let waitMs = 1;
    for (let waitedMs = 0; ; waitedMs += waitMs) {
      try {
        return await work();
      } catch (error) {
        const kind = failureKind(error);
        if (kind !== "busy" || waitedMs >= CATALOG_BUSY_MAX_MS) {
          throw catalogFailure(place, kind, error);
        }
      }
      await clock.sleep(waitMs, signal);
      waitMs = Math.min(waitMs * 2, CATALOG_BUSY_POLL_MAX_MS);
    }
  }
}
