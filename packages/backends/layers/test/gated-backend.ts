import type { LoadOptions, RepositoryFile } from "@comeback/core";
import { MemoryBackend } from "@comeback/testkit";

/** Loads wait at a gate, in view of the test. */
export class GatedBackend extends MemoryBackend {
  readonly started: string[] = [];
  readonly #gates: (() => void)[] = [];

  override async load(
    file: RepositoryFile,
    options?: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.started.push(file.name);
    await new Promise<void>((resolve) => this.#gates.push(resolve));
    return super.load(file, options);
  }

  /** Lets the load through that has waited for longest. */
  open(): void {
    this.#gates.shift()?.();
  }
}

/** Lets everything run that waits only for promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(() => setImmediate(resolve)));
  });
}
