/**
 * Storage that is far away, beside restic: first backup, unchanged backup, `check --read-data` and
 * restore on a URL that both programs know. Credentials come from the environment, for both.
 *
 *   node bench/src/remote.ts --url s3:http://127.0.0.1:7480/bench --corpus large
 *
 * Each run is in a path of its own below the URL, which stays there: a bucket is emptied by who
 * made it.
 */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type CorpusName, prepareCorpus } from "./corpora.ts";
import { measure, type Run } from "./measure.ts";
import type { Contender } from "./operations.ts";
import { renderTable } from "./report.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    pairs: { type: "string", default: "5" },
    corpus: { type: "string", default: "large" },
    /** A folder of one's own in place of a corpus. */
    data: { type: "string" },
    /** Given to both, as `-o`. */
    option: { type: "string", multiple: true, default: [] },
    work: { type: "string", default: "/dev/shm/comeback-bench" },
    restic: { type: "string", default: "restic-0.18" },
    comeback: { type: "string" },
  },
});

const OPERATIONS = ["first backup", "unchanged backup", "check --read-data", "restore"] as const;
type Operation = (typeof OPERATIONS)[number];

const { url } = values;
if (url === undefined) throw new Error("--url is missing: an empty place on the storage");
const root = fileURLToPath(new URL("../..", import.meta.url));
const contenders: readonly Contender[] = [
  { name: "comeback", program: values.comeback ?? `${root}dist/comeback/bin/comeback` },
  { name: "restic", program: values.restic },
];
const corpus = values.data ?? prepareCorpus(values.corpus as CorpusName, values.work).path;

function runRound(contender: Contender): Record<Operation, Run> {
  const folder = join(values.work, `remote-${contender.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const target = join(folder, "target");
  const environment = {
    RESTIC_PASSWORD: "bench",
    RESTIC_CACHE_DIR: join(folder, "cache"),
    RESTIC_REPOSITORY: `${url}/${contender.name}-${randomUUID()}`,
  };
  const options = values.option.flatMap((option) => ["-o", option]);
  const run = (...parameters: string[]): Run =>
    measure([contender.program, ...options, ...parameters], environment);
  run("init");
  const runs = {
    "first backup": run("backup", corpus),
    "unchanged backup": run("backup", corpus),
    "check --read-data": run("check", "--read-data"),
    restore: run("restore", "latest", "--target", target),
  };
  const compared = ["-r", "--no-dereference", "-q", corpus, join(target, corpus)];
  execFileSync("diff", compared, { stdio: "inherit" });
  rmSync(folder, { recursive: true, force: true });
  return runs;
}

const pairs: Record<string, Record<Operation, Run>>[] = [];
for (let pair = 0; pair < Number(values.pairs); pair++) {
  const order = pair % 2 === 0 ? contenders : contenders.toReversed();
  pairs.push(Object.fromEntries(order.map((contender) => [contender.name, runRound(contender)])));
  process.stderr.write(`pair ${pair + 1} done\n`);
}

console.log(renderTable(OPERATIONS, pairs).join("\n"));
