import { ComebackError, REPLICATE_CONFIG_MAX_BYTES } from "@comeback/core";
import type { OperationOptions } from "@comeback/core";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReplicationStage } from "./plan-replication.ts";
import { typeOfPath } from "./replicated-file.ts";
import type { ReplicatedFile } from "./replicated-file.ts";
import type { ReplicationTarget } from "./replication-target.ts";
import { LineReader, runHelper } from "./run-helper.ts";
import type { HelperEnd } from "./run-helper.ts";

/** A line of `rsync --list-only --no-human-readable`: mode, size, date, time, path. */
const LISTED = /^-[rwxsStT-]{9}\s+(\d+) \S+ \S+ (.+)$/;
/** A line of `--itemize-changes` about a file whose content would be sent. */
const WOULD_SEND = /^[<>]f\S*\s(.+)$/;

/** rsync's exit codes that say something about the way there and not about the files. */
const UNREACHABLE: ReadonlySet<number> = new Set([5, 10, 12, 30, 35, 255]);

export interface RsyncTargetOptions {
  /** The source's folder. */
  readonly folder: string;
  /** As rsync takes it: `[user@]host:path`, `rsync://host/module/path`, or a path. */
  readonly place: string;
  /** Further arguments of the user's. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A folder that rsync reaches. rsync writes under temporary names, and renames what is whole. */
export class RsyncTarget implements ReplicationTarget {
  readonly location: string;
  readonly #options: RsyncTargetOptions;
  readonly #place: string;
  #features: Promise<readonly string[]> | undefined;

  constructor(options: RsyncTargetOptions) {
    this.location = `rsync:${options.place}`;
    this.#options = options;
    this.#place = options.place.endsWith("/") ? options.place : `${options.place}/`;
  }

  async *list(options: OperationOptions): AsyncGenerator<ReplicatedFile> {
    const files: ReplicatedFile[] = [];
    const onLine = (line: string): void => {
      const [, size = "", path = ""] = LISTED.exec(line) ?? [];
      if (typeOfPath(path) !== undefined) files.push({ path, sizeBytes: Number(size) });
    };
    const args = ["--recursive", "--list-only", "--no-human-readable", "--exclude=/locks/"];
    const end = await this.#run([...args, "--", this.#place], [], onLine, options);
    if (end.exitCode === 23 && /No such file or directory/.test(end.said)) return;
    this.#assertDone(end, "listing what is there");
    yield* files;
  }

  async fetchConfig(options: OperationOptions): Promise<Uint8Array> {
    const folder = await mkdtemp(join(tmpdir(), "comeback-config-"));
    try {
      const args = [`--max-size=${REPLICATE_CONFIG_MAX_BYTES}`, "--", `${this.#place}config`];
      const end = await this.#run([...args, `${folder}/`], [], ignoreLine, options);
      this.#assertDone(end, "reading its config");
      return await readFile(join(folder, "config"));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async send(stage: ReplicationStage, options: OperationOptions): Promise<void> {
    const args = ["--times", "--ignore-existing", ...(await this.#supported(options))];
    // What others remove meanwhile (a snapshot, a key) is not missed; the rest cannot go.
    if (stage.type === "snapshot" || stage.type === "key") args.push("--ignore-missing-args");
    const end = await this.#runOnFiles(args, stage.files, ignoreLine, options);
    this.#assertDone(end, `sending ${stage.type} files`);
  }

  async remove(stage: ReplicationStage, options: OperationOptions): Promise<void> {
    // What the source does not have is removed there; what it has got back is left alone.
    const args = ["--delete-missing-args", "--ignore-existing"];
    const end = await this.#runOnFiles(args, stage.files, ignoreLine, options);
    this.#assertDone(end, `removing ${stage.type} files`);
  }

  async differing(files: readonly ReplicatedFile[], options: OperationOptions): Promise<string[]> {
    const found: string[] = [];
    const onLine = (line: string): void => {
      const path = WOULD_SEND.exec(line)?.[1];
      if (path !== undefined) found.push(path);
    };
    const args = ["--checksum", "--dry-run", "--itemize-changes", "--ignore-missing-args"];
    const end = await this.#runOnFiles(args, files, onLine, options);
    this.#assertDone(end, "comparing");
    return found;
  }

  #runOnFiles(
    args: readonly string[],
    files: readonly ReplicatedFile[],
    onLine: (line: string) => void,
    options: OperationOptions,
  ): Promise<HelperEnd> {
    // Some people spread their packs over disks by links: what they lead to is what counts.
    const lists = ["--copy-links", "--files-from=-", "--from0"];
    const places = ["--", `${this.#options.folder}/`, this.#place];
    return this.#run([...args, ...lists, ...places], namesOf(files), onLine, options);
  }

  async #run(
    args: readonly string[],
    input: Iterable<string>,
    onLine: (line: string) => void,
    { signal }: OperationOptions,
  ): Promise<HelperEnd> {
    const lines = new LineReader("rsync", onLine);
    const end = await runHelper({
      program: "rsync",
      // -s: no shell on the other side takes a path apart.
      args: ["-s", ...this.#options.args, ...args],
      env: { ...this.#options.env, LC_ALL: "C" },
      input,
      signal,
      onChunk: (chunk) => lines.push(chunk),
    });
    lines.end();
    return end;
  }

  /** `--fsync` is there since 3.2.4: without, a power cut may leave an index without its packs. */
  #supported(options: OperationOptions): Promise<readonly string[]> {
    this.#features ??= this.#askVersion(options);
    return this.#features;
  }

  async #askVersion({ signal }: OperationOptions): Promise<readonly string[]> {
    let said = "";
    const lines = new LineReader("rsync", (line) => (said ||= line));
    const { env } = this.#options;
    const onChunk = (chunk: Buffer): void => lines.push(chunk);
    await runHelper({ program: "rsync", args: ["--version"], env, input: [], signal, onChunk });
    const [, major = 0, minor = 0, patch = 0] = /version (\d+)\.(\d+)\.(\d+)/.exec(said) ?? [];
    const version = Number(major) * 1e6 + Number(minor) * 1e3 + Number(patch);
    return [
      ...(version >= 3_002_003 ? ["--mkpath"] : []),
      ...(version >= 3_002_004 ? ["--fsync"] : []),
    ];
  }

  #assertDone(end: HelperEnd, doing: string): void {
    if (end.exitCode === 0) return;
    const how = end.signal === null ? `with exit code ${end.exitCode}` : `by ${end.signal}`;
    const isWay = end.exitCode !== null && UNREACHABLE.has(end.exitCode);
    throw new ComebackError(
      isWay ? "backend.unreachable" : "command.failed",
      `${doing} at ${this.location} failed`,
      {
        why: `rsync ended ${how}${end.said === "" ? "" : `: ${end.said}`}`,
        next: isWay
          ? "see whether rsync and ssh reach the target by hand, then repeat: it goes on where it was"
          : "mend what rsync names, then repeat: it goes on where it was",
        retryable: isWay,
      },
    );
  }
}

function* namesOf(files: readonly ReplicatedFile[]): Generator<string> {
  for (const { path } of files) yield `${path}\0`;
}

function ignoreLine(_line: string): void {}
