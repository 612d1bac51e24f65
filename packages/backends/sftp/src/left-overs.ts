import { SFTP_TEMPORARIES_KEPT_MAX, SFTP_TEMPORARY_MAX_MS } from "@comeback/core";
import type { Clock } from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import type { SftpSession } from "./sftp-session.ts";

const LANES = 8;

/**
 * Temporary files that nobody writes any more: our own of a connection that was lost, and old ones
 * that a list came across. Both are removed along with the next file that is: a command that only
 * reads, or an account that may not delete, never tries.
 */
export class LeftOvers {
  readonly #clock: Pick<Clock, "now">;
  readonly #paths: Set<string> = new Set();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** One of our own; to be removed as soon as there is a connection again. */
  add(path: string): void {
    if (this.#paths.size < SFTP_TEMPORARIES_KEPT_MAX) this.#paths.add(path);
  }

  /** One that was found, and is kept while its save may still be under way. */
  addOld(path: string, mtime: number | undefined): void {
    if (mtime === undefined) return;
    if (this.#clock.now() - mtime * 1000 > SFTP_TEMPORARY_MAX_MS) this.add(path);
  }

  async remove(session: SftpSession): Promise<void> {
    const paths = [...this.#paths];
    this.#paths.clear();
    const lanes = { count: paths.length, lanes: LANES, signal: undefined };
    await inLanes(lanes, async (index) => {
      await session.client.remove(paths[index] ?? "").catch(() => undefined);
    });
  }
}
