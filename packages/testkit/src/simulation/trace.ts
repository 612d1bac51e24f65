import { createHash } from "node:crypto";

/**
 * What happened in a simulated run, line by line. Files are called by their kind and a number in
 * the order in which they appeared: their names hold times and places of this machine.
 */
export class Trace {
  readonly #lines: string[] = [];
  readonly #numbers: Map<string, number> = new Map();
  readonly #counts: Map<string, number> = new Map();

  add(line: string): void {
    this.#lines.push(line);
  }

  /** The short name of a file. */
  label(type: string, name: string): string {
    if (name === "") return type;
    const key = `${type}/${name}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = (this.#counts.get(type) ?? 0) + 1;
      this.#counts.set(type, number);
      this.#numbers.set(key, number);
    }
    return `${type} ${number}`;
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Equal for runs in which the same happened in the same order. */
  get hash(): string {
    return createHash("sha256").update(this.#lines.join("\n")).digest("hex");
  }

  /** The last lines. */
  tail(lines: number): string {
    return this.#lines.slice(-lines).join("\n");
  }
}
