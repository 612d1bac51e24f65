import { ComebackError } from "@comeback/core";
import type { DestinationSettings } from "../configuration/schema/destination.ts";
import type { OpenDestination, RunServices } from "./run-services.ts";

/**
 * A destination in the course of a run: opened once, when it is first needed, and closed at the end.
 * One that failed to open is not tried again.
 */
export class LiveDestination implements AsyncDisposable {
  readonly name: string;
  readonly settings: DestinationSettings;
  readonly #services: RunServices;
  readonly #signal: AbortSignal;
  #opened: Promise<OpenDestination> | undefined;

  constructor(name: string, services: RunServices, signal: AbortSignal) {
    const settings = services.configuration.destinations[name];
    if (settings === undefined) {
      throw new ComebackError("plan.not-found", `there is no destination ${name}`, {
        next: "see `comeback plan list` for those that the configuration has",
      });
    }
    this.name = name;
    this.settings = settings;
    this.#services = services;
    this.#signal = signal;
  }

  open(): Promise<OpenDestination> {
    this.#opened ??= this.#services.openDestination(this.name, { signal: this.#signal });
    return this.#opened;
  }

  /** Lets go of it, so that the next `open` finds it as it is then. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    const open = await opened?.catch(() => undefined);
    await open?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
