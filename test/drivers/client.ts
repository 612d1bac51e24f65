import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Finished, type Running, type RunOptions, startProgram } from "./run-program.ts";
import { scratchFolder } from "./scratch.ts";
import type { Tool } from "./tools.ts";

export const PASSWORD = "correct horse battery staple";

/** Interrupted backups leave a note of how far they came, which is not for the user's own cache. */
const cacheHome = scratchFolder("cache-home");

/** The compiled program may stay where it is: to compile it again takes half a second. */
const userCache: string = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const compileCache: string =
  process.env["NODE_COMPILE_CACHE"] ?? join(userCache, "comeback", "compiled");

/** What both tools say at the end of `backup --json`. */
export interface BackupSummary {
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
  /** Ours alone, and only after an interrupted backup. */
  readonly resumed_files?: number;
  readonly snapshot_id: string;
}

export interface SnapshotJson {
  readonly id: string;
  readonly tree: string;
  readonly parent?: string;
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly time: string;
  readonly tags?: readonly string[];
}

export interface BackupRunOptions extends RunOptions {
  readonly args?: readonly string[];
  /** Default 0. */
  readonly exitCode?: number;
}

/** One repository as one tool uses it. */
export class Client {
  readonly tool: Tool;
  readonly repository: string;
  readonly password: string;

  constructor(tool: Tool, repository: string, password: string = PASSWORD) {
    this.tool = tool;
    this.repository = repository;
    this.password = password;
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    const { tool, repository } = this;
    return startProgram(tool.command, [...tool.flags, "-r", repository, ...args], {
      ...options,
      env: { ...this.environment, ...options.env },
    });
  }

  /** Nothing of the machine's own settings may matter. */
  get environment(): Record<string, string | undefined> {
    const cleared = Object.keys(process.env)
      .filter((name) => /^(COMEBACK|RESTIC)_(?!NODE)/.test(name))
      .map((name) => [name, undefined] as const);
    return {
      ...Object.fromEntries(cleared),
      NODE_TEST_CONTEXT: undefined,
      RESTIC_PASSWORD: this.password,
      XDG_CACHE_HOME: cacheHome,
      NODE_COMPILE_CACHE: compileCache,
      TZ: "UTC",
    };
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.start(args, options).finished;
  }

  /** Runs what has to succeed. */
  async done(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.run(args, options);
    assert.equal(finished.exitCode, 0, finished.describe());
    return finished;
  }

  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    const { stdout } = await this.done([...args, "--json"], options);
    return JSON.parse(stdout.toString("utf8")) as T;
  }

  async lines<T>(args: readonly string[], options: RunOptions = {}): Promise<T[]> {
    return jsonLines<T>(await this.done([...args, "--json"], options));
  }

  async backup(targets: readonly string[], options: BackupRunOptions = {}): Promise<BackupSummary> {
    const { args = [], exitCode = 0, ...rest } = options;
    const finished = await this.run(["backup", "--json", ...args, ...targets], rest);
    assert.equal(finished.exitCode, exitCode, finished.describe());
    return summaryOf(finished);
  }

  async restore(
    snapshot: string,
    target: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Finished> {
    return this.done(["restore", snapshot, "--target", target, ...args], options);
  }

  snapshots(): Promise<SnapshotJson[]> {
    return this.json<SnapshotJson[]>(["snapshots"]);
  }

  async treeOf(snapshotId: string): Promise<string> {
    const { stdout } = await this.done(["cat", "snapshot", snapshotId]);
    return (JSON.parse(stdout.toString("utf8")) as SnapshotJson).tree;
  }

  check(...args: string[]): Promise<Finished> {
    return this.done(["check", "--read-data", ...args]);
  }
}

/** Every line that is JSON: restic 0.14 puts plain sentences between them. */
export function jsonLines<T>(finished: Finished): T[] {
  const lines = finished.stdout.toString("utf8").split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as T);
}

export function summaryOf(finished: Finished): BackupSummary {
  const summary = jsonLines<{ message_type: string }>(finished).find(
    (line) => line.message_type === "summary",
  );
  assert.ok(summary, `there is no summary: ${finished.describe()}`);
  return summary as unknown as BackupSummary;
}
