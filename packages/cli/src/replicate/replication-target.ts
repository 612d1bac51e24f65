import type { OperationOptions } from "@comeback/core";
import type { ReplicationStage } from "./plan-replication.ts";
import type { ReplicatedFile } from "./replicated-file.ts";

/**
 * Where a copy of a repository's folder is kept. The contract:
 *
 * - `list` gives every finished file that is there; none where nothing is.
 * - `send` resolves once each file is there under its name, whole. A file that is there already is
 *   left alone. One that is interrupted never leaves a part of a file under its name.
 * - `remove` resolves once none of the files is there.
 * - `differing` compares contents and names the files that are not the same, or missing; undefined
 *   where the target has no way to tell.
 * - Everything may be repeated.
 */
export interface ReplicationTarget {
  /** For messages. */
  readonly location: string;
  list(options: OperationOptions): AsyncIterable<ReplicatedFile>;
  /** The config that is there; asked for only where the list has one. */
  fetchConfig(options: OperationOptions): Promise<Uint8Array>;
  send(stage: ReplicationStage, options: OperationOptions): Promise<void>;
  remove(stage: ReplicationStage, options: OperationOptions): Promise<void>;
  differing(
    files: readonly ReplicatedFile[],
    options: OperationOptions,
  ): Promise<string[] | undefined>;
}
