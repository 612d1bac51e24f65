import { execFileSync } from "node:child_process";

/** The restic whose trees ours must equal byte by byte, and an older one (test/services/restic). */
export const CURRENT_RESTIC = "restic-0.18";
export const OLDER_RESTIC = "restic";

/** A repository that a real restic writes into. */
export class ResticRepository {
  readonly #command: string;
  readonly #folder: string;

  constructor(command: string, folder: string) {
    this.#command = command;
    this.#folder = folder;
    this.#run(["init"]);
  }

  /** Backs up what lies in a folder; the id of the tree that holds its entries. */
  backUp(folder: string, options: { timeZone?: string; args?: readonly string[] } = {}): string {
    const { timeZone = "UTC", args = [] } = options;
    this.#run(["backup", "--force", ...args, "."], { cwd: folder, timeZone });
    const snapshots: unknown = JSON.parse(this.#run(["snapshots", "--json"]).toString());
    return (snapshots as { tree: string }[]).at(-1)!.tree;
  }

  treeText(id: string): string {
    return this.#run(["cat", "blob", id]).toString();
  }

  #run(args: readonly string[], options: { cwd?: string; timeZone?: string } = {}): Buffer {
    return execFileSync(this.#command, ["--no-cache", "-q", "-r", this.#folder, ...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, RESTIC_PASSWORD: "x", TZ: options.timeZone ?? "UTC" },
      maxBuffer: 256 * 1024 * 1024,
      stdio: ["ignore", "pipe", "inherit"],
    });
  }
}
