import { ComebackError, REPLICATE_CONFIG_MAX_BYTES } from "@comeback/core";
import type { OperationOptions } from "@comeback/core";
import type { ReplicationStage } from "./plan-replication.ts";
import { typeOfPath } from "./replicated-file.ts";
import type { ReplicatedFile, ReplicatedType } from "./replicated-file.ts";
import type { ReplicationTarget } from "./replication-target.ts";
import { LineReader, runHelper } from "./run-helper.ts";
import type { HelperEnd } from "./run-helper.ts";

const CONTRACT_VERSION = 1;
/** The program's answer to what it has no way to do. */
const EXIT_UNSUPPORTED = 2;

type Action = "list" | "fetch" | "send" | "remove" | "verify";

export interface CommandTargetOptions {
  readonly folder: string;
  readonly repositoryId: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A target that a program of the user's own reaches (docs/reference/replicate.md has its contract). */
export class CommandTarget implements ReplicationTarget {
  readonly location: string;
  readonly #options: CommandTargetOptions;

  constructor(options: CommandTargetOptions) {
    // Its arguments may hold a secret.
    this.location = `command:${options.program}`;
    this.#options = options;
  }

  async *list(options: OperationOptions): AsyncGenerator<ReplicatedFile> {
    const files: ReplicatedFile[] = [];
    const onLine = (line: string): void => {
      const { path, size } = this.#parse(line, "list");
      if (!Number.isSafeInteger(size) || Number(size) < 0) throw this.#badAnswer("list", line);
      if (typeOfPath(path) !== undefined) files.push({ path, sizeBytes: Number(size) });
    };
    this.#assertDone(await this.#runLines("list", [], onLine, options), "list");
    yield* files;
  }

  async fetchConfig(options: OperationOptions): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const end = await this.#run({
      action: "fetch",
      type: "config",
      files: [{ path: "config", sizeBytes: 0 }],
      options,
      onChunk: (chunk) => {
        sizeBytes += chunk.length;
        if (sizeBytes > REPLICATE_CONFIG_MAX_BYTES) throw this.#badAnswer("fetch", "too long");
        chunks.push(chunk);
      },
    });
    this.#assertDone(end, "fetch");
    return Buffer.concat(chunks);
  }

  async send({ type, files }: ReplicationStage, options: OperationOptions): Promise<void> {
    const onChunk = (): void => {};
    this.#assertDone(await this.#run({ action: "send", type, files, options, onChunk }), "send");
  }

  async remove({ type, files }: ReplicationStage, options: OperationOptions): Promise<void> {
    const onChunk = (): void => {};
    const end = await this.#run({ action: "remove", type, files, options, onChunk });
    this.#assertDone(end, "remove");
  }

  async differing(
    files: readonly ReplicatedFile[],
    options: OperationOptions,
  ): Promise<string[] | undefined> {
    const found: string[] = [];
    const onLine = (line: string): void => {
      found.push(this.#parse(line, "verify").path);
    };
    const end = await this.#runLines("verify", files, onLine, options);
    if (end.exitCode === EXIT_UNSUPPORTED) return undefined;
    this.#assertDone(end, "verify");
    return found;
  }

  async #runLines(
    action: Action,
    files: readonly ReplicatedFile[],
    onLine: (line: string) => void,
    options: OperationOptions,
  ): Promise<HelperEnd> {
    const lines = new LineReader(this.location, (line) => {
      if (line.trim() !== "") onLine(line);
    });
    const onChunk = (chunk: Buffer): void => lines.push(chunk);
    const end = await this.#run({ action, type: undefined, files, options, onChunk });
    lines.end();
    return end;
  }

  #run(call: {
    readonly action: Action;
    readonly type: ReplicatedType | undefined;
    readonly files: readonly ReplicatedFile[];
    readonly options: OperationOptions;
    onChunk(chunk: Buffer): void;
  }): Promise<HelperEnd> {
    const { program, args, env, folder, repositoryId } = this.#options;
    const { action, type, files, options, onChunk } = call;
    return runHelper({
      program,
      args,
      env: {
        ...env,
        COMEBACK_REPLICATE_VERSION: String(CONTRACT_VERSION),
        COMEBACK_REPLICATE_ACTION: action,
        COMEBACK_REPLICATE_TYPE: type,
        COMEBACK_REPLICATE_SOURCE: folder,
        COMEBACK_REPLICATE_REPOSITORY_ID: repositoryId,
      },
      input: requestOf({ action, type, source: folder, repositoryId }, files),
      signal: options.signal,
      onChunk,
    });
  }

  #parse(line: string, action: Action): { path: string; size?: unknown } {
    try {
      const answer = JSON.parse(line) as { path?: unknown; size?: unknown } | null;
      if (typeof answer?.path === "string") return { path: answer.path, size: answer.size };
    } catch {
      // Told below.
    }
    throw this.#badAnswer(action, line);
  }

  #badAnswer(action: Action, line: string): ComebackError {
    return new ComebackError("command.failed", `${this.location} gave no answer to "${action}"`, {
      why: `it printed ${JSON.stringify(line.slice(0, 80))}`,
      next: "see docs/reference/replicate.md for what such a program has to print",
    });
  }

  #assertDone(end: HelperEnd, action: Action): void {
    if (end.exitCode === 0) return;
    const how = end.signal === null ? `with exit code ${end.exitCode}` : `by ${end.signal}`;
    throw new ComebackError("command.failed", `${this.location} failed to "${action}"`, {
      why: `it ended ${how}${end.said === "" ? "" : `: ${end.said}`}`,
      next: "mend what it names, then repeat: it goes on where it was",
    });
  }
}

/** One JSON document, made piece by piece: a stage may have a million files. */
function* requestOf(
  head: {
    readonly action: Action;
    readonly type: ReplicatedType | undefined;
    readonly source: string;
    readonly repositoryId: string;
  },
  files: readonly ReplicatedFile[],
): Generator<string> {
  const { action, type, source, repositoryId } = head;
  const fields = { version: CONTRACT_VERSION, action, type, source, repository_id: repositoryId };
  yield `${JSON.stringify(fields).slice(0, -1)},"files":[`;
  let separator = "";
  for (const { path, sizeBytes } of files) {
    yield `${separator}${JSON.stringify({ path, size: sizeBytes })}`;
    separator = ",";
  }
  yield "]}\n";
}
