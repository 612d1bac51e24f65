import { randomUUID } from "node:crypto";
import { closeSync, ftruncateSync, openSync, unlinkSync, write } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import koffi from "koffi";
import { libc } from "./libc.ts";
import { processFunctions } from "./native-library.ts";

const PROTOTYPES = {
  mmap: "int64_t mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)",
  munmap: "int munmap(uintptr_t at, size_t length)",
  madvise: "int madvise(uintptr_t at, size_t length, int advice)",
} as const;

const PROT_READ = 1;
const MAP_SHARED = 1;
const MADV_DONTNEED = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

const writeTo = promisify(write);

type Memory = NonNullable<ReturnType<typeof processFunctions<keyof typeof PROTOTYPES>>>;
let memory: Memory | null | undefined;

/** Who still has the bytes of a disposed file may read them: it is unmapped with the last of them. */
const unmapping = new FinalizationRegistry<{ readonly address: number; readonly length: number }>(
  ({ address, length }) => void memory?.munmap(address, length),
);

/**
 * A file without a name, whose content is read as if it were in memory. It counts as this process's
 * memory only where it was touched since `forgetPages`: for data that is read from front to back,
 * once or twice, and is too much to be held meanwhile.
 *
 * A disk that cannot give back what it took ends the process with SIGBUS, as with any mapped file.
 */
export class MappedFile implements Disposable {
  readonly capacityBytes: number;
  readonly #fd: number;
  readonly #address: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #isOpen = true;

  private constructor(fd: number, address: number, capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    this.#fd = fd;
    this.#address = address;
    const buffer = koffi.view(address, capacityBytes);
    this.#bytes = new Uint8Array(buffer);
    unmapping.register(buffer, { address, length: capacityBytes });
  }

  /**
   * In a folder, where it takes no space until it is written. Throws what Node's `fs` throws;
   * `undefined` where this system or the folder's file system cannot map files.
   */
  static create(folder: string, capacityBytes: number): MappedFile | undefined {
    memory ??= processFunctions(PROTOTYPES) ?? null;
    if (memory === null) return undefined;
    const path = join(folder, `comeback-${randomUUID()}`);
    const fd = openSync(path, "wx+", 0o600);
    try {
      unlinkSync(path);
      ftruncateSync(fd, capacityBytes);
      const address = Number(memory.mmap(null, capacityBytes, PROT_READ, MAP_SHARED, fd, 0));
      if (address > 0) return new MappedFile(fd, address, capacityBytes);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /**
   * Puts `data` at the file's beginning; resolves to its bytes there, which stay until the next
   * `write` or `clear` and must not be written to. Throws what Node's `fs` throws, such as `ENOSPC`.
   */
  async write(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    if (data.byteLength > this.capacityBytes) throw new RangeError("it does not fit the file");
    for (let done = 0; done < data.byteLength;) {
      const { bytesWritten } = await writeTo(this.#fd, data, done, data.byteLength - done, done);
      if (bytesWritten === 0) throw new Error("nothing was written to a temporary file");
      done += bytesWritten;
    }
    return this.#bytes.subarray(0, data.byteLength);
  }

  /** From here on what was touched so far is the system's to keep or to put on the disk. */
  forgetPages(): void {
    memory?.madvise(this.#address, this.capacityBytes, MADV_DONTNEED);
  }

  /** Gives the space back, on the disk too where it can; what was written reads as zeros then. */
  clear(): void {
    if (!this.#isOpen) return;
    const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (libc().fallocate(this.#fd, mode, 0, this.capacityBytes) < 0) this.forgetPages();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.clear();
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}
