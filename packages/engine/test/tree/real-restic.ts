import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemRandom } from "@comeback/platform";
import { createKeyFile, openKeyFile, parseKeyFile } from "../../src/crypto/key-file.ts";

/** One installed restic. */
export type RealRestic = { readonly command: string; readonly minor: number };

const INSTALL =
  "needs restic 0.17 or newer on the PATH, as `restic` or `restic-0.18` (Debian: restic of trixie)";

function probe(command: string): RealRestic | undefined {
  const result = spawnSync(command, ["version"], { encoding: "utf8" });
  const minor = /^restic 0\.(\d+)\./.exec(result.stdout ?? "")?.[1];
  return minor === undefined ? undefined : { command, minor: Number(minor) };
}

const installed: readonly RealRestic[] = ["restic-0.18", "restic"].flatMap((name) => {
  const found = probe(name);
  return found === undefined ? [] : [found];
});

/** The restic whose trees ours must equal byte by byte. */
export const currentRestic: RealRestic | undefined = installed.find(({ minor }) => minor >= 17);
/** Why a test that needs it cannot run; false where it can. */
export const withoutCurrentRestic: string | false = currentRestic === undefined && INSTALL;
/** An older one, where there is one too. */
export const olderRestic: RealRestic | undefined = installed.find(({ minor }) => minor < 17);

const PASSWORD = "x";

/** restic spends half a second on every opening to slow down guessing, which tests need not. */
async function makeKeyCheap(folder: string): Promise<void> {
  const name = readdirSync(folder)[0]!;
  const file = parseKeyFile(readFileSync(join(folder, name)), name);
  const masterKey = await openKeyFile(file, PASSWORD, systemRandom);
  if (masterKey === undefined) throw new Error("the new repository's key does not open");
  const cost = { N: 2, r: 8, p: 1 };
  const cheap = await createKeyFile(masterKey, PASSWORD, file, systemRandom, cost);
  writeFileSync(join(folder, createHash("sha256").update(cheap).digest("hex")), cheap);
  rmSync(join(folder, name));
}

/** A repository that a real restic writes into. */
export class ResticRepository {
  readonly #command: string;
  readonly #folder: string;

  private constructor(command: string, folder: string) {
    this.#command = command;
    this.#folder = folder;
  }

  static async init(restic: RealRestic | undefined, folder: string): Promise<ResticRepository> {
    if (restic === undefined) throw new Error(INSTALL);
    const repository = new ResticRepository(restic.command, folder);
    repository.run(["init"]);
    await makeKeyCheap(join(folder, "keys"));
    return repository;
  }

  run(args: readonly string[], options: { cwd?: string; timeZone?: string } = {}): Buffer {
    return execFileSync(this.#command, ["--no-cache", "-q", "-r", this.#folder, ...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, RESTIC_PASSWORD: PASSWORD, TZ: options.timeZone ?? "UTC" },
      maxBuffer: 256 * 1024 * 1024,
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  /** Backs up what lies in a folder; the id of the tree that holds its entries. */
  backUp(folder: string, options: { timeZone?: string; args?: readonly string[] } = {}): string {
    const { timeZone = "UTC", args = [] } = options;
    this.run(["backup", "--force", ...args, "."], { cwd: folder, timeZone });
    const snapshots: unknown = JSON.parse(this.run(["snapshots", "--json"]).toString());
    return (snapshots as { tree: string }[]).at(-1)!.tree;
  }

  treeText(id: string): string {
    return this.run(["cat", "blob", id]).toString();
  }
}
