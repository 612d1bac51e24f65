import type { Corpus } from "./corpora.ts";
import { median, type Run } from "./measure.ts";
import { OPERATIONS, type Round } from "./operations.ts";

export interface CorpusResult {
  readonly corpus: Corpus;
  readonly pairs: readonly { readonly comeback: Round; readonly restic: Round }[];
}

const MB = 1e6;

/** Markdown: for every operation both medians, and the ratio pair by pair with its spread. */
export function renderReport(machine: readonly string[], results: readonly CorpusResult[]): string {
  const lines = [`Machine: ${machine.join("; ")}`, ""];
  for (const { corpus, pairs } of results) {
    lines.push(`### ${corpus.description} (${pairs.length} pairs)`, "");
    const runs = pairs.map(({ comeback, restic }) => {
      return { comeback: comeback.runs, restic: restic.runs };
    });
    lines.push(...renderTable(OPERATIONS, runs));
    const sizes = pairs.map((pair) => pair.comeback.repositoryBytes / pair.restic.repositoryBytes);
    const size = (round: (pair: (typeof pairs)[number]) => Round): string =>
      `${(median(pairs.map((pair) => round(pair).repositoryBytes)) / MB).toFixed(1)} MB`;
    lines.push(
      `| repository size | ${size((pair) => pair.comeback)} | ${size((pair) => pair.restic)} | ${median(sizes).toFixed(3)} × restic's | | |`,
      "",
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A row an operation: both medians, and the ratio pair by pair with its spread. */
export function renderTable<Operation extends string>(
  operations: readonly Operation[],
  pairs: readonly Readonly<Record<string, Readonly<Record<Operation, Run>>>>[],
): string[] {
  const lines = [
    "| operation | comeback | restic | ratio (min–max) | memory: comeback | restic |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const operation of operations) {
    const runsOf = (name: string): Run[] => pairs.map((pair) => pair[name]![operation]);
    const [ours, theirs] = [runsOf("comeback"), runsOf("restic")];
    const ratios = ours.map((run, i) => (theirs[i] as Run).wallSeconds / run.wallSeconds);
    const seconds = (runs: readonly Run[]): string =>
      `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`;
    const memory = (runs: readonly Run[]): string =>
      `${(median(runs.map((run) => run.peakBytes)) / MB).toFixed(0)} MB`;
    lines.push(
      `| ${operation} | ${seconds(ours)} | ${seconds(theirs)} | ${spread(ratios)} | ${memory(ours)} | ${memory(theirs)} |`,
    );
  }
  return lines;
}

/** Above 1: comeback is that many times faster. */
function spread(ratios: readonly number[]): string {
  const low = Math.min(...ratios).toFixed(2);
  const high = Math.max(...ratios).toFixed(2);
  return `${median(ratios).toFixed(2)} × (${low}–${high})`;
}
