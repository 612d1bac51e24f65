import { SFTP_TEMPORARIES_KEPT_MAX } from "@comeback/core";
import { inLanes } from "./in-lanes.ts";
import type { SftpSession } from "./sftp-session.ts";

const LANES = 8;

/**
 * Temporary files of our own that could not be removed with the connection they were made on. They
 * are removed along with the next file that is: a command that only reads, or an account that may
 * not delete, never tries.
 */
export class LeftOvers {
  readonly #paths: Set<string> = new Set();

  add(path: string): void {
    if (this.#paths.size < SFTP_TEMPORARIES_KEPT_MAX) this.#paths.add(path);
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
