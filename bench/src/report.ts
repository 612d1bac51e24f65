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
    lines.push("| operation | comeback | restic | ratio (min–max) | memory: comeback | restic |");
    lines.push("| --- | --- | --- | --- | --- | --- |");
    for (const operation of OPERATIONS) {
      const ours = pairs.map((pair) => pair.comeback.runs[operation]);
      const theirs = pairs.map((pair) => pair.restic.runs[operation]);
      const ratios = ours.map((run, i) => (theirs[i] as Run).wallSeconds / run.wallSeconds);
      const seconds = (runs: readonly Run[]): string =>
        `${median(runs.map((run) => run.wallSeconds)).toFixed(2)} s`;
      const memory = (runs: readonly Run[]): string =>
        `${(median(runs.map((run) => run.peakBytes)) / MB).toFixed(0)} MB`;
      lines.push(
        `| ${operation} | ${seconds(ours)} | ${seconds(theirs)} | ${spread(ratios)} | ${memory(ours)} | ${memory(theirs)} |`,
      );
    }
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

/** Above 1: comeback is that many times faster. */
function spread(ratios: readonly number[]): string {
  const low = Math.min(...ratios).toFixed(2);
  const high = Math.max(...ratios).toFixed(2);
  return `${median(ratios).toFixed(2)} × (${low}–${high})`;
}
