import type { FileType, ListedFile, RepositoryFile } from "@comeback/core";
import type { MemoryBackend } from "../memory-backend.ts";
import type { SeededRandom } from "../seeded-random.ts";

interface Write {
  readonly atMs: number;
  readonly process: number;
}

/** A store that several simulated processes share. */
export class SimulatedStore {
  readonly name: string;
  readonly memory: MemoryBackend;
  /** Of files that were written only in part, how many there were. */
  torn = 0;
  readonly #writes: Map<string, Write> = new Map();

  constructor(name: string, memory: MemoryBackend) {
    this.name = name;
    this.memory = memory;
  }

  get listLagMs(): number {
    return this.memory.listLagMs;
  }

  noteWrite(file: RepositoryFile, write: Write): void {
    this.#writes.set(`${file.type}/${file.name}`, write);
  }

  /** What a process sees now: what others saved within the lag may be missing. */
  async list(
    type: FileType,
    see: { readonly process: number; readonly nowMs: number; readonly random: SeededRandom },
  ): Promise<ListedFile[]> {
    const files: ListedFile[] = [];
    for await (const file of this.memory.list(type)) {
      const write = this.#writes.get(`${type}/${file.name}`);
      const mayLag =
        write !== undefined &&
        write.process !== see.process &&
        see.nowMs - write.atMs < this.listLagMs;
      if (!mayLag || see.random.chance(50)) files.push(file);
    }
    return files;
  }
}
