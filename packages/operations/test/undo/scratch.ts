import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "@comeback/core";
import type { UndoExecutor, UndoStep } from "@comeback/operations/undo";

/** In memory where there is such a place: a journal is forced to the disk again and again. */
export function scratchFolder(): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(parent, "comeback-operations-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Real time, in which nobody waits. */
export const hastyClock: Clock = {
  now: () => Date.now(),
  sleep: (_, signal) => {
    signal?.throwIfAborted();
    return setImmediate();
  },
};

/** A world of flags: a step takes one down. */
export class Flags {
  readonly up = new Set<string>();
  /** Flags that cannot be taken down. */
  readonly stuck = new Set<string>();
  /** In which order they were taken down, and whether their raising was perhaps not finished. */
  readonly undone: string[] = [];
  onChange: () => void = () => undefined;

  step(name: string): UndoStep {
    return { kind: "command", argv: ["lower", name], timeoutMs: 1_000 };
  }

  raise(name: string): void {
    this.up.add(name);
    this.onChange();
  }

  readonly executor: UndoExecutor = (step, { isInterrupted }) => {
    const name = step.kind === "command" ? step.argv[1]! : "?";
    if (this.stuck.has(name)) return Promise.reject(new Error(`${name} is stuck`));
    this.undone.push(isInterrupted ? `${name}?` : name);
    this.up.delete(name);
    this.onChange();
    return Promise.resolve();
  };
}
