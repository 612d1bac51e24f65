/**
 * Upkeep beside restic: `prune` after half of 20 snapshots were forgotten, `check`, `copy`. Each
 * program works on a repository of its own making, with its own defaults; every run begins with a
 * fresh copy of it.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measure, type Run } from "./measure.ts";
import type { Contender } from "./operations.ts";
import { renderTable } from "./report.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "5" },
    work: { type: "string", default: "/dev/shm/comeback-bench/upkeep" },
    restic: { type: "string", default: "restic-0.18" },
    comeback: { type: "string" },
  },
});

const FILES = 30_000;
const FOLDERS = 300;
const SNAPSHOTS = 20;
/** One file in so many changes from one snapshot to the next. */
const CHURN = 10;
const OPERATIONS = ["prune", "check", "copy"] as const;
type Operation = (typeof OPERATIONS)[number];

const root = fileURLToPath(new URL("../..", import.meta.url));
const contenders: readonly Contender[] = [
  { name: "comeback", program: values.comeback ?? `${root}dist/comeback/bin/comeback` },
  { name: "restic", program: values.restic },
];

const environmentOf = (folder: string, repository: string): Record<string, string> => ({
  RESTIC_PASSWORD: "bench",
  RESTIC_FROM_PASSWORD: "bench",
  RESTIC_CACHE_DIR: join(folder, "cache"),
  RESTIC_REPOSITORY: join(folder, repository),
});

/** Words and numbers: compressible as text is, and different in every file and version. */
function writeFile(source: string, number: number, version: number): void {
  const bytes = 2_000 + ((number * 7919) % 28_000);
  const digest = createHash("shake256", { outputLength: bytes >> 1 });
  const text = digest.update(`${number} ${version}`).digest("hex").slice(0, bytes);
  const folder = join(source, `folder ${number % FOLDERS}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `file ${number}`), text);
}

/** The contender's repository with all snapshots, made on first use. */
function prepare({ name, program }: Contender): string {
  const folder = join(values.work, `${name}-prepared`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}-unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const source = join(unfinished, "source");
  mkdirSync(source, { recursive: true });
  const environment = environmentOf(unfinished, "repository");
  measure([program, "init"], environment);
  for (let snapshot = 0; snapshot < SNAPSHOTS; snapshot++) {
    for (let number = 0; number < FILES; number++) {
      const changes = (number + snapshot) % CHURN === 0;
      if (snapshot === 0 || changes) writeFile(source, number, snapshot);
    }
    measure([program, "backup", source], environment);
  }
  rmSync(source, { recursive: true });
  rmSync(join(unfinished, "cache"), { recursive: true, force: true });
  renameSync(unfinished, folder);
  return folder;
}

function runRound(contender: Contender): Record<Operation, Run> {
  const folder = join(values.work, contender.name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(prepare(contender), folder, { recursive: true });
  const environment = environmentOf(folder, "repository");
  const run = (...parameters: string[]): Run =>
    measure([contender.program, ...parameters], environment);
  run("forget", "--keep-last", String(SNAPSHOTS / 2), "--group-by", "");
  const prune = run("prune");
  const check = run("check");
  const from = ["--from-repo", join(folder, "repository")];
  const target = environmentOf(folder, "target");
  measure([contender.program, "init", "--copy-chunker-params", ...from], target);
  const copy = measure([contender.program, "copy", ...from], target);
  // Whatever was done, restic must find nothing wrong with it.
  for (const { RESTIC_REPOSITORY } of [environment, target]) {
    execFileSync(values.restic, ["check", "--read-data"], {
      env: { ...process.env, ...environment, RESTIC_REPOSITORY },
    });
  }
  rmSync(folder, { recursive: true });
  return { prune, check, copy };
}

for (const contender of contenders) prepare(contender);
const pairs: Record<string, Record<Operation, Run>>[] = [];
for (let pair = 0; pair < Number(values.pairs); pair++) {
  const order = pair % 2 === 0 ? contenders : contenders.toReversed();
  pairs.push(Object.fromEntries(order.map((contender) => [contender.name, runRound(contender)])));
  process.stderr.write(`pair ${pair + 1} done\n`);
}

console.log(renderTable(OPERATIONS, pairs).join("\n"));
