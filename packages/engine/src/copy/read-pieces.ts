import { type Backend, COPY_BYTES_IN_FLIGHT_MAX } from "@comeback/core";
import { Budget } from "../check/budget.ts";
import { eachConcurrently } from "../repository/repository.ts";
import type { Piece } from "./pieces.ts";

/** Does something with a piece's bytes, or with the error that there are none. */
interface PieceUse {
  use(piece: Piece, data: Uint8Array<ArrayBuffer>): Promise<void>;
  onUnreadable(piece: Piece, failure: unknown): Promise<void>;
}

/** Loads pieces of packs, a bounded number and a bounded amount of bytes at a time. */
export class PieceReader {
  readonly #backend: Backend;
  readonly #inFlight: number;
  readonly #signal: AbortSignal;
  readonly #bytes = new Budget(COPY_BYTES_IN_FLIGHT_MAX);
  readonly #calls: Budget;

  constructor(options: {
    readonly backend: Backend;
    readonly workers: number;
    readonly signal: AbortSignal;
  }) {
    const { backend, workers, signal } = options;
    this.#backend = backend;
    this.#signal = signal;
    this.#calls = new Budget(backend.connections);
    // While the workers are busy with some, the next ones are loaded.
    this.#inFlight = 2 * workers + backend.connections;
  }

  async each(pieces: Iterable<Piece>, { use, onUnreadable }: PieceUse): Promise<void> {
    await eachConcurrently(pieces, this.#inFlight, (piece) =>
      this.#bytes.use(piece.sizeBytes, async () => {
        this.#signal.throwIfAborted();
        let data: Uint8Array<ArrayBuffer>;
        try {
          data = await this.#calls.use(1, () => this.#load(piece));
        } catch (error) {
          await onUnreadable(piece, error);
          return;
        }
        await use(piece, data);
      }),
    );
  }

  #load({ packId, startOffset, sizeBytes }: Piece): Promise<Uint8Array<ArrayBuffer>> {
    return this.#backend.load(
      { type: "pack", name: packId },
      { offset: startOffset, length: sizeBytes, signal: this.#signal },
    );
  }
}
