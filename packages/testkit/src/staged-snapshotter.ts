import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import {
  ComebackError,
  type Finding,
  type JournalValue,
  type PlannedSnapshot,
  type Snapshotter,
  type SnapshotRequest,
  type SnapshotView,
} from "@comeback/core";

/** Freezes folders by copying them, and fails where a test tells it to. */
export class StagedSnapshotter implements Snapshotter {
  readonly kind: string = "staged";
  /** Where the copies lie. */
  readonly #folder: string;
  /** Called at each step; where it rejects, so does the step. */
  onCreate: () => void | Promise<void> = () => undefined;
  onVerify: () => void | Promise<void> = () => undefined;
  onRemove: () => void | Promise<void> = () => undefined;
  isUsable = true;
  #plans = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The snapshots that are there now. */
  async standing(): Promise<string[]> {
    return readdir(this.#folder);
  }

  async probe({ signal }: { readonly signal: AbortSignal }): Promise<Finding[]> {
    signal.throwIfAborted();
    if (this.isUsable) return [{ state: "passed", subject: "copies", message: "can be made" }];
    return [{ state: "failed", subject: "copies", message: "cannot be made", next: "mend it" }];
  }

  async plan({ paths, runId }: SnapshotRequest, signal: AbortSignal): Promise<PlannedSnapshot> {
    signal.throwIfAborted();
    const name = `${runId}-${++this.#plans}`;
    return { description: `copy ${name}`, token: { name, paths } };
  }

  async create({ token }: PlannedSnapshot, signal: AbortSignal): Promise<SnapshotView> {
    signal.throwIfAborted();
    const { name, paths } = understood(token);
    const top = join(this.#folder, name);
    await mkdir(top);
    const places = new Map<string, string>();
    for (const [place, path] of paths.entries()) {
      const copy = join(top, `${place}-${basename(path)}`);
      await cp(path, copy, { recursive: true });
      places.set(path, copy);
    }
    await this.onCreate();
    return { pathOf: (path) => pathIn(places, path) };
  }

  async verify(_planned: PlannedSnapshot, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.onVerify();
  }

  async remove(token: JournalValue, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.onRemove();
    await rm(join(this.#folder, understood(token).name), { recursive: true, force: true });
  }
}

interface Token {
  readonly name: string;
  readonly paths: readonly string[];
}

function understood(token: JournalValue): Token {
  return token as unknown as Token;
}

function pathIn(places: ReadonlyMap<string, string>, path: string): string {
  for (const [top, copy] of places) {
    if (path === top || path.startsWith(`${top}/`)) return join(copy, relative(top, path));
  }
  throw new ComebackError("snapshotter.failed", `${path} is not part of the snapshot`);
}
