import { ComebackError, WAITING_PAGES_FORGOTTEN_MS } from "@comeback/core";
import { MappedFile } from "@comeback/platform";
import { sha256 } from "../crypto/blob-codec.ts";

/** A pack that lies in a file while it is stored. */
export interface WaitingPack extends Disposable {
  /** Read from the file where they are touched. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Fails where the file did not give back what was written: what was stored may be damaged then. */
  assertIntact(): void;
}

/**
 * Packs that are on their way to storage far away, in temporary files instead of memory: so it costs
 * no memory to have many of them under way. The files have no names, take the space of their packs,
 * and lie in the system's cache as a rule; what little of them was just sent counts as ours.
 */
export class WaitingPacks {
  readonly #folder: string;
  readonly #fileBytes: number;
  readonly #free: MappedFile[] = [];
  readonly #used = new Set<MappedFile>();
  #forgetting: NodeJS.Timeout | undefined;
  #isUsable = true;

  /** `fileBytes`: the size of the largest pack that is taken. */
  constructor(options: { readonly folder: string; readonly fileBytes: number }) {
    this.#folder = options.folder;
    this.#fileBytes = options.fileBytes;
  }

  /** False once a file could not be made or written: the folder is full, or is none. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Copies a pack, which is named by its SHA-256, into a file; `undefined` where it cannot. */
  async add(id: string, pack: Uint8Array): Promise<WaitingPack | undefined> {
    if (!this.#isUsable || pack.byteLength > this.#fileBytes) return undefined;
    let file: MappedFile | undefined;
    try {
      file = this.#free.pop() ?? MappedFile.create(this.#folder, this.#fileBytes);
      if (file === undefined) throw new Error("files cannot be mapped here");
      this.#used.add(file);
      const data = await file.write(pack);
      this.#forgetting ??= setInterval(() => this.#forgetPages(), WAITING_PAGES_FORGOTTEN_MS);
      return this.#waiting(file, id, data);
    } catch {
      // Memory has to do for this one, and for fewer at a time.
      this.#isUsable = false;
      if (file !== undefined) this.#release(file);
      return undefined;
    }
  }

  /** Gives back all files that no pack lies in; at the end that is all of them. */
  clear(): void {
    for (const file of this.#free.splice(0)) file[Symbol.dispose]();
  }

  #waiting(file: MappedFile, id: string, data: Uint8Array<ArrayBuffer>): WaitingPack {
    return {
      data,
      assertIntact: () => {
        if (sha256(data).toString("hex") !== id) throw unreliable(this.#folder);
      },
      [Symbol.dispose]: () => this.#release(file),
    };
  }

  #release(file: MappedFile): void {
    this.#used.delete(file);
    if (this.#used.size === 0) {
      clearInterval(this.#forgetting);
      this.#forgetting = undefined;
    }
    if (!this.#isUsable) {
      file[Symbol.dispose]();
      return;
    }
    // Before the system has put on the disk what nobody needs any more.
    file.clear();
    this.#free.push(file);
  }

  #forgetPages(): void {
    for (const file of this.#used) file.forgetPages();
  }
}

function unreliable(folder: string): ComebackError {
  return new ComebackError(
    "platform.temporary-files",
    "temporary files do not hold their content",
    {
      why: `a pack that was written into ${folder} came back changed`,
      next: "set TMPDIR to a folder on another disk, look at this one's health, and repeat the command",
    },
  );
}
