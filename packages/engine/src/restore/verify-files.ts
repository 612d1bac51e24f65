import {
  type ByteString,
  messageOf,
  RESTORE_COMPARE_BYTES,
  RESTORE_TASK_MAX_FILES,
} from "@comeback/core";
import { idWords } from "../index/blob-table.ts";
import type { TreeNode } from "../tree/types.ts";
import { CompareRequest, type ComparedPart } from "./compare-request.ts";
import { contentLength } from "./file-window.ts";
import type { OrdinalSet } from "./ordinal-set.ts";
import type { RestoreRun } from "./restore-run.ts";
import { type CompareOutput, Verdict } from "./tasks.ts";
import type { WalkVisitor } from "./snapshot-walk.ts";

/** A directory of the second walk: its path below the target. */
export interface VerifiedDirectory {
  readonly path: ByteString;
}

interface VerifiedFile {
  readonly location: ByteString;
  readonly sizeBytes: number;
  partsLeft: number;
  isWrong: boolean;
}

interface VerifiedBlob {
  readonly entry: number;
  readonly length: number;
}

const ZERO_TIME = { seconds: 0, nanoseconds: 0 };

/** The second walk: reads every file that was written again, and compares it with the snapshot. */
export class VerifyWalk implements WalkVisitor<VerifiedDirectory> {
  readonly #run: RestoreRun;
  readonly #written: OrdinalSet;
  readonly #unreadableTrees: ReadonlySet<ByteString>;
  readonly #id = new Uint32Array(8);
  readonly #running = new Set<Promise<void>>();
  #request = new CompareRequest<VerifiedFile>();
  #nextOrdinal = 0;

  constructor(run: RestoreRun, written: OrdinalSet, unreadableTrees: ReadonlySet<ByteString>) {
    this.#run = run;
    this.#written = written;
    this.#unreadableTrees = unreadableTrees;
  }

  locationOf({ path }: VerifiedDirectory, name: ByteString): ByteString {
    return path === "" ? `/${name}` : `/${path}/${name}`;
  }

  directory(parent: VerifiedDirectory, node: TreeNode): VerifiedDirectory {
    return { path: this.locationOf(parent, node.name).slice(1) };
  }

  contents(): void {
    // What is refused was named by the first walk.
  }

  leave(): void {
    // Directories have no content.
  }

  unreadable({ path }: VerifiedDirectory, error: unknown): void {
    if (this.#unreadableTrees.has(path)) return;
    // Which of the following files were written cannot be told any more.
    const text = `it could be read before, and now not: ${messageOf(error)}`;
    this.#run.meter.problem(`/${path}`, "verify", text);
    throw error;
  }

  entry(directory: VerifiedDirectory, node: TreeNode): Promise<void> | undefined {
    if (node.type !== "file" || !this.#written.has(this.#nextOrdinal++)) return undefined;
    const { table } = this.#run.repository.index;
    const blobs = (node.content ?? []).map((id): VerifiedBlob => {
      const entry = table.find("data", idWords(id, this.#id));
      return { entry, length: contentLength(table.locationOf(entry)) };
    });
    const file: VerifiedFile = {
      location: this.locationOf(directory, node.name),
      sizeBytes: blobs.reduce((sum, { length }) => sum + length, 0),
      partsLeft: 0,
      isWrong: false,
    };
    return this.#add(file, directory.path, node.name, blobs);
  }

  async finish(): Promise<void> {
    this.#send();
    await Promise.all(this.#running);
    this.#run.signal.throwIfAborted();
  }

  #add(
    file: VerifiedFile,
    directory: ByteString,
    name: ByteString,
    blobs: readonly VerifiedBlob[],
  ): Promise<void> | undefined {
    let offset = 0;
    let i = 0;
    let hasSent = false;
    do {
      const { sizeBytes } = file;
      this.#request.add({ subject: file, directory, name, sizeBytes, mtime: ZERO_TIME, offset });
      file.partsLeft++;
      for (; i < blobs.length && this.#request.bytes < RESTORE_COMPARE_BYTES; i++) {
        const { entry, length } = blobs[i] as VerifiedBlob;
        this.#request.addBlob(entry, length);
        offset += length;
      }
      const isFull =
        this.#request.bytes >= RESTORE_COMPARE_BYTES ||
        this.#request.parts.length >= RESTORE_TASK_MAX_FILES;
      if (isFull) {
        this.#send();
        hasSent = true;
      }
    } while (i < blobs.length);
    return hasSent ? this.#room() : undefined;
  }

  /** The walk goes on once the workers are not far behind. */
  async #room(): Promise<void> {
    while (this.#running.size > this.#run.pool.size * 2) await Promise.race(this.#running);
    this.#run.signal.throwIfAborted();
  }

  #send(): void {
    const request = this.#request;
    this.#request = new CompareRequest();
    const sending = request
      .send(this.#run, "verify", (part, answer, at) => this.#receive(part, answer, at))
      .catch((error: unknown) => this.#run.fail(error));
    this.#running.add(sending);
    void sending.finally(() => this.#running.delete(sending));
  }

  #receive(
    part: ComparedPart<VerifiedFile>,
    answer: CompareOutput,
    { index, firstBlob }: { readonly index: number; readonly firstBlob: number },
  ): void {
    const { meter } = this.#run;
    const file = part.subject;
    const verdict = answer.verdicts[index] as Verdict;
    if (verdict !== Verdict.same && !file.isWrong) {
      file.isWrong = true;
      const matches = answer.matches.subarray(firstBlob, firstBlob + part.blobs);
      const text = wrongness(verdict, matches, answer.messages.get(index));
      meter.problem(file.location, "verify", text);
    }
    if (--file.partsLeft > 0 || file.isWrong) return;
    meter.live.filesVerified++;
    meter.live.bytesVerified += file.sizeBytes;
  }
}

function wrongness(verdict: Verdict, matches: Uint8Array, message: string | undefined): string {
  switch (verdict) {
    case Verdict.missing:
      return "it is missing";
    case Verdict.unreadable:
      return `it cannot be read: ${message ?? ""}`;
    case Verdict.differs:
      return matches.includes(1)
        ? "a part of its content is not what the snapshot says"
        : "its content is not what the snapshot says";
    default:
      return "something else is in its place";
  }
}
