import { isComebackError, messageOf } from "@comeback/core";
import { isSystemCallError, writeFrom } from "@comeback/platform";
import { eachConcurrently } from "../repository/repository.ts";
import { failureText } from "./failure-text.ts";
import type { FileOutcomes } from "./file-outcomes.ts";
import type { FileWindow } from "./file-window.ts";
import { throwIfHopeless } from "./hopeless.ts";
import type { RangeBlob } from "./plan-ranges.ts";
import type { PlannedFile } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";

export interface RescueOptions {
  readonly run: RestoreRun;
  readonly outcomes: FileOutcomes;
  readonly window: FileWindow;
  readonly fileOf: (use: number) => PlannedFile;
  readonly blobs: readonly RangeBlob[];
  /** A worker has been at it: files of several blobs exist. */
  readonly isBegun: boolean;
  /** Why the range as a whole could not be read. */
  readonly loadError: unknown;
}

/**
 * Second try for blobs that did not come out of their range: one by one, from every pack that
 * holds them. Files whose blobs stay lost get their `loss`.
 */
export async function rescueBlobs(options: RescueOptions): Promise<void> {
  const { run, blobs } = options;
  await eachConcurrently(blobs, run.repository.backend.connections, async (blob) => {
    if (run.signal.aborted) return;
    const content = await contentOf(options, blob);
    if (run.signal.aborted) return;
    for (const use of blob.uses) {
      const file = options.fileOf(use);
      if (file.isSettled) continue;
      if (typeof content === "string") file.loss ??= content;
      else put(options, file, content, options.window.offsets[use] as number);
    }
  });
}

/** The blob, or in words why it is lost. */
async function contentOf(options: RescueOptions, blob: RangeBlob): Promise<Uint8Array | string> {
  const { run, loadError } = options;
  const { repository, signal } = run;
  const id = repository.index.table.idOf(blob.entry);
  const isOnlyCopy = repository.index.find("data", id).length === 1;
  if (isOnlyCopy && isComebackError(loadError, "backend.not-found")) {
    const pack = repository.index.packIds[blob.location.pack] as string;
    return `its data is lost: pack ${pack.slice(0, 8)} is missing from the repository`;
  }
  try {
    return await repository.loadBlob("data", id, { signal });
  } catch (error) {
    // Not lost: it only has to be thawed, and so have most others.
    if (isComebackError(error, "backend.archived")) throw error;
    const why = isComebackError(error) && error.why !== undefined ? `: ${error.why}` : "";
    return `its data is lost: ${messageOf(error)}${why}`;
  }
}

function put(
  { run, outcomes, isBegun }: RescueOptions,
  file: PlannedFile,
  content: Uint8Array,
  offset: number,
): void {
  if (!outcomes.open(file, isBegun && file.uses > 1)) return;
  try {
    run.meter.live.bytesWritten += writeFrom(file.fd, content, 0, content.length, offset);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    throwIfHopeless(error);
    file.loss ??= failureText(error);
  }
}
