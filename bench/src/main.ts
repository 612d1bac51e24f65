import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type CorpusName, prepareCorpus } from "./corpora.ts";
import { type Contender, type Round, runRound } from "./operations.ts";
import { renderReport, type CorpusResult } from "./report.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "5" },
    corpus: { type: "string", multiple: true, default: ["kernel", "large", "million"] },
    work: { type: "string", default: "/dev/shm/comeback-bench" },
    restic: { type: "string", default: "restic-0.18" },
    comeback: { type: "string" },
    output: { type: "string" },
  },
});

const root = fileURLToPath(new URL("../..", import.meta.url));
const comeback: Contender = {
  name: "comeback",
  program: values.comeback ?? `${root}dist/comeback/bin/comeback`,
};
const restic: Contender = { name: "restic", program: values.restic };

function version(contender: Contender): string {
  return execFileSync(contender.program, ["version"], { encoding: "utf8" }).split("\n")[0] ?? "";
}

const machine = [
  `${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  execFileSync("uname", ["-sr"], { encoding: "utf8" }).trim(),
  `Node ${process.versions.node}`,
  version(comeback),
  version(restic),
];

const results: CorpusResult[] = [];
for (const name of values.corpus as CorpusName[]) {
  const corpus = prepareCorpus(name, values.work);
  const pairs: { comeback: Round; restic: Round }[] = [];
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    // Taking turns at who goes first keeps a drift of the machine out of the ratio.
    const order = pair % 2 === 0 ? [comeback, restic] : [restic, comeback];
    const rounds: Partial<Record<Contender["name"], Round>> = {};
    for (const contender of order) {
      rounds[contender.name] = runRound(contender, corpus.path, values.work);
      process.stderr.write(`${name}: pair ${pair + 1}, ${contender.name} done\n`);
    }
    pairs.push(rounds as { comeback: Round; restic: Round });
  }
  results.push({ corpus, pairs });
}

const report = renderReport(machine, results);
process.stdout.write(report);
if (values.output !== undefined) writeFileSync(values.output, report);
