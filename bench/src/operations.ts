import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { measure, type Run } from "./measure.ts";

/** A program under test. Both take restic's own commands and flags. */
export interface Contender {
  readonly name: "comeback" | "restic";
  readonly program: string;
}

export const OPERATIONS = [
  "first backup",
  "unchanged backup",
  "--force backup",
  "check --read-data",
  "restore",
] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Round {
  readonly runs: Record<Operation, Run>;
  readonly repositoryBytes: number;
}

/** All operations once, in a fresh repository; caches are fresh as well, and on the same disk. */
export function runRound(contender: Contender, corpus: string, workDir: string): Round {
  const folder = join(workDir, contender.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const repository = join(folder, "repository");
  const target = join(folder, "target");
  const environment = {
    RESTIC_PASSWORD: "bench",
    RESTIC_CACHE_DIR: join(folder, "cache"),
    RESTIC_REPOSITORY: repository,
  };
  const run = (...parameters: string[]): Run =>
    measure([contender.program, ...parameters], environment);
  run("init");
  const first = run("backup", corpus);
  const repositoryBytes = diskBytes(repository);
  const runs = {
    "first backup": first,
    "unchanged backup": run("backup", corpus),
    "--force backup": run("backup", "--force", corpus),
    "check --read-data": run("check", "--read-data"),
    restore: run("restore", "latest", "--target", target),
  };
  compare(corpus, join(target, corpus));
  rmSync(folder, { recursive: true, force: true });
  return { runs, repositoryBytes };
}

/** A benchmark of a wrong restore would be worth nothing. */
function compare(original: string, restored: string): void {
  execFileSync("diff", ["-r", "--no-dereference", "-q", original, restored], { stdio: "inherit" });
}

function diskBytes(path: string): number {
  return Number(
    execFileSync("du", ["-sb", "--apparent-size", path], { encoding: "utf8" }).split("\t")[0],
  );
}
