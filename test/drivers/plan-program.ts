import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackupType, RunOutcome, StageRecord } from "@comeback/core";
import { Client, jsonLines, PASSWORD } from "./client.ts";
import { type Guide, writeAdapted } from "./guide.ts";
import { type Finished, startProgram } from "./run-program.ts";
import { makeFolder } from "./scratch.ts";
import { COMEBACK } from "./tools.ts";

/** What `comeback run --json` says of a source at the end. */
interface SourceSeen {
  readonly name: string;
  readonly outcome: RunOutcome;
  readonly failure?: string;
  readonly backupType?: BackupType;
  readonly snapshots: readonly { readonly destination: string; readonly id: string }[];
  readonly summary?: {
    readonly files_new: number;
    readonly files_changed: number;
    readonly files_unmodified: number;
  };
}

/** A run as `comeback run --json` tells of it. */
export interface RunSeen {
  readonly outcome: RunOutcome;
  readonly message?: string;
  readonly sources: readonly SourceSeen[];
  /** Those that have ended, in their order. */
  readonly stages: readonly StageRecord[];
  source(name: string): SourceSeen;
  snapshotOf(source: string, destination: string): string;
  readonly finished: Finished;
}

export interface PlanRunOptions {
  readonly args?: readonly string[];
  /** Default 0. */
  readonly exitCode?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The program with the configuration of a guide, whose places are those of a test. */
export class PlanProgram {
  readonly configurationPath: string;
  readonly keyPath: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(options: {
    readonly guide: Guide;
    readonly folder: string;
    /** What the guide's file says, and what stands there in the test. */
    readonly places: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, string | undefined>>;
  }) {
    const { guide, folder, places, env = {} } = options;
    const settings = makeFolder(folder, "etc");
    this.configurationPath = join(settings, "comeback.yaml");
    this.keyPath = join(settings, "key");
    writeFileSync(this.keyPath, `${PASSWORD}\n`, { mode: 0o600 });
    writeAdapted(this.configurationPath, guide.configuration, {
      "/etc/comeback/key": this.keyPath,
      "/var/lib/comeback": makeFolder(folder, "state"),
      ...places,
    });
    this.#env = env;
  }

  /** Commands on a destination by its name. */
  on(destination: string): Client {
    const flags = ["--config", this.configurationPath];
    return new PlanClient({ ...COMEBACK, flags }, destination, this.#env);
  }

  /** `comeback plan check`, which has to find nothing wrong. */
  async check(): Promise<void> {
    const finished = await this.#start(["plan", "check"], {});
    assert.equal(finished.exitCode, 0, finished.describe());
  }

  async run(plan: string, options: PlanRunOptions = {}): Promise<RunSeen> {
    const { args = [], exitCode = 0, env = {} } = options;
    const finished = await this.#start(["run", plan, "--json", ...args], env);
    assert.equal(finished.exitCode, exitCode, finished.describe());
    return runSeen(finished);
  }

  #start(args: readonly string[], env: PlanRunOptions["env"]): Promise<Finished> {
    return startProgram(COMEBACK.command, ["--config", this.configurationPath, ...args], {
      env: { ...new Client(COMEBACK, "").environment, ...this.#env, ...env },
    }).finished;
  }
}

class PlanClient extends Client {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(
    tool: Client["tool"],
    destination: string,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    super(tool, destination);
    this.#env = env;
  }

  override get environment(): Record<string, string | undefined> {
    return { ...super.environment, RESTIC_PASSWORD: undefined, ...this.#env };
  }
}

type Message = { readonly message_type: string } & Record<string, unknown>;

function runSeen(finished: Finished): RunSeen {
  const messages = jsonLines<Message>(finished);
  const summary = messages.find(({ message_type: type }) => type === "summary");
  assert.ok(summary, `there is no summary: ${finished.describe()}`);
  const { outcome, message, sources } = summary as unknown as RunSeen;
  const stages = messages.filter(({ message_type: type }) => type === "stage") as unknown;
  const source = (name: string): SourceSeen =>
    sources.find((one) => one.name === name) ??
    assert.fail(`no source ${name}: ${finished.describe()}`);
  return {
    outcome,
    ...(message === undefined ? {} : { message }),
    sources,
    stages: (stages as StageRecord[]).filter(({ endedAtMs }) => endedAtMs !== undefined),
    source,
    snapshotOf: (name, destination) =>
      source(name).snapshots.find((one) => one.destination === destination)?.id ??
      assert.fail(`${name} is not in ${destination}: ${finished.describe()}`),
    finished,
  };
}
