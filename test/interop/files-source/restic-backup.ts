import { spawnSync } from "node:child_process";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { SeededRandom, SimulatedClock } from "@comeback/testkit";
import { RESTIC_018 } from "../../drivers/tools.ts";

export type ResticRun = {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** Of the snapshot it wrote; `undefined` where it wrote none. */
  readonly snapshot: ResticSnapshot | undefined;
};

export type ResticSnapshot = {
  readonly id: string;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly excludes?: readonly string[];
};

const PASSWORD = "x";

/** A repository that the real restic backs up into; its key opens at once, so runs are short. */
export class ResticBackup {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<ResticBackup> {
    await using backend = await localBackendFactory.create(folder);
    await using repository = await Repository.init({
      backend,
      password: PASSWORD,
      clock: new SimulatedClock(),
      random: new SeededRandom(1),
      scryptCost: { N: 16, r: 1, p: 1 },
    });
    return new ResticBackup(repository.backend.location);
  }

  /** Runs `restic backup`; `input` is its standard input. */
  backUp(
    args: readonly string[],
    options: { cwd: string; input?: string; env?: Readonly<Record<string, string>> },
  ): ResticRun {
    const json = ["backup", "--json", "--force", "--no-scan", ...args];
    const { status, stdout, stderr } = this.#run(json, options);
    const summary = /^\{"message_type":"summary".*"snapshot_id":"([0-9a-f]+)"\}$/m.exec(stdout);
    const snapshot = summary === null ? undefined : this.#snapshot(summary[1]!, options);
    return { exitCode: status, stderr, snapshot };
  }

  /** All paths in a snapshot, sorted. */
  list(snapshot: ResticSnapshot): string[] {
    const { stdout } = this.#run(["ls", "--json", snapshot.id], { cwd: "/" });
    const lines = stdout.trim().split("\n").slice(1);
    return lines.map((line) => (JSON.parse(line) as { path: string }).path).sort();
  }

  #snapshot(id: string, options: { cwd: string }): ResticSnapshot {
    const { stdout } = this.#run(["cat", "snapshot", id], options);
    return { ...(JSON.parse(stdout) as ResticSnapshot), id };
  }

  #run(
    args: readonly string[],
    options: { cwd: string; input?: string; env?: Readonly<Record<string, string>> },
  ): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(RESTIC_018.command, [...RESTIC_018.flags, "-r", this.#folder, ...args], {
      cwd: options.cwd,
      input: options.input ?? "",
      // Go trusts $PWD only where it names the folder it runs in. Temporary files in /tmp would
      // change the time of a folder that is part of the backup.
      env: {
        ...process.env,
        PWD: options.cwd,
        RESTIC_PASSWORD: PASSWORD,
        TMPDIR: this.#folder,
        TZ: "UTC",
        ...options.env,
      },
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
  }
}
