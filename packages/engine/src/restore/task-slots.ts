/**
 * Room for tasks under way: a number of them, and the bytes that they hold. Who asks first is
 * served first.
 */
export class TaskSlots {
  #tasksLeft: number;
  #bytesLeft: number;
  readonly #bytesMax: number;
  readonly #waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor(options: { readonly tasks: number; readonly bytes: number }) {
    this.#tasksLeft = options.tasks;
    this.#bytesMax = options.bytes;
    this.#bytesLeft = options.bytes;
  }

  /** Resolves once there is room. One task may be larger than all the room there is. */
  async acquire(bytes: number): Promise<void> {
    const needed = Math.min(bytes, this.#bytesMax);
    if (this.#waiting.length === 0 && this.#hasRoom(needed)) return this.#take(needed);
    await new Promise<void>((resolve) => this.#waiting.push({ bytes: needed, resolve }));
  }

  release(bytes: number): void {
    this.#tasksLeft++;
    this.#bytesLeft += Math.min(bytes, this.#bytesMax);
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || !this.#hasRoom(next.bytes)) return;
      this.#waiting.shift();
      this.#take(next.bytes);
      next.resolve();
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#tasksLeft > 0 && this.#bytesLeft >= bytes;
  }

  #take(bytes: number): void {
    this.#tasksLeft--;
    this.#bytesLeft -= bytes;
  }
}
