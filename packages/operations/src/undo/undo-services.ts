import type { CommandRunner, Snapshotter } from "@comeback/core";
import type { SecretReference } from "../configuration/schema/values.ts";

/** Resolves to what a reference stands for, or rejects with `configuration.secret`. */
export type SecretResolver = (reference: SecretReference, signal: AbortSignal) => Promise<string>;

/** What actions, hooks and undoing work with. */
export interface ActionServices {
  readonly runner: CommandRunner;
  readonly fetch: typeof fetch;
  readonly resolveSecret: SecretResolver;
}

export interface UndoServices extends ActionServices {
  /** By the name that stands in a step of the kind `snapshot`. */
  snapshotter(name: string): Snapshotter | undefined;
}
