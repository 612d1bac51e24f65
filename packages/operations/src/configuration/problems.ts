import { CONFIGURATION_PROBLEMS_MAX, ComebackError, type FileProblem } from "@comeback/core";
import { type Place, positionIn } from "./located-value.ts";
import { hiddenRanges } from "./hide-secrets.ts";

/** Something that is wrong with the configuration, and where. */
export interface Problem {
  readonly place: Place;
  /** What was found, and what is accepted. */
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** From this offset of the file on, the line may hold a secret: it is not shown. */
  readonly hiddenFrom?: number | undefined;
}

const EXCERPT_MAX_CHARS = 160;

/** All of them as one error, in the order of the files. */
export function invalidConfiguration(problems: readonly Problem[]): ComebackError {
  const all = uniqueInOrder(problems);
  const shown = all.slice(0, CONFIGURATION_PROBLEMS_MAX).map(fileProblem);
  const count = all.length === 1 ? "one problem" : `${all.length} problems`;
  const rest = all.length - shown.length;
  return new ComebackError("configuration.invalid", `the configuration has ${count}`, {
    next:
      rest > 0
        ? `mend these first; ${rest} more will be told then`
        : "mend the file, then see with `comeback plan check`",
    problems: shown,
    context: { problems: all.length },
  });
}

/** What came in by an anchor or by defaults is wrong once, however often it is used. */
function uniqueInOrder(problems: readonly Problem[]): Problem[] {
  const byKey = new Map<string, Problem>();
  for (const problem of problems) {
    const { file, start } = problem.place;
    // What is accepted may differ from place to place; what was found does not.
    const [found] = problem.message.split(";", 1);
    const key = `${file.path}\0${start}\0${found}`;
    if (!byKey.has(key)) byKey.set(key, problem);
  }
  const files = [...new Set(problems.map(({ place }) => place.file.path))];
  return [...byKey.values()].toSorted(
    ({ place: a }, { place: b }) =>
      files.indexOf(a.file.path) - files.indexOf(b.file.path) || a.start - b.start,
  );
}

export function fileProblem({ place, message, suggestion, hiddenFrom }: Problem): FileProblem {
  const [line, column] = positionIn(place.file, place.start);
  return {
    file: place.file.path,
    line,
    column,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
    excerpt: excerptOf(place, line, hiddenFrom),
  };
}

/** The line of a place; what may be a secret is replaced by one sign. */
function excerptOf(
  { file, start, end }: Place,
  line: number,
  hiddenFrom: number | undefined,
): NonNullable<FileProblem["excerpt"]> {
  const lineStart = file.lineStarts[line - 1]!;
  const whole = file.text.slice(lineStart, file.lineStarts[line] ?? file.text.length);
  const text = whole.replace(/\r?\n$/, "").replaceAll("\t", " ");
  const from = Math.min(start - lineStart, text.length);
  const to = Math.max(from, Math.min(end - lineStart, text.length));
  const secretFrom = hiddenFrom === undefined ? text.length : hiddenFrom - lineStart;
  const hidden = hiddenRanges(text, { from: Math.max(0, secretFrom), to: text.length });
  let shown = "";
  let shownFrom: number | undefined;
  let shownTo: number | undefined;
  for (let at = 0; at <= text.length; at++) {
    if (at === from) shownFrom = shown.length;
    if (at === to) shownTo = shown.length;
    const range = hidden.find((candidate) => at >= candidate.from && at < candidate.to);
    if (range === undefined) shown += text[at] ?? "";
    else if (at === range.from) shown += "…";
  }
  const left = Math.max(0, (shownFrom ?? 0) - EXCERPT_MAX_CHARS / 2);
  const cut = shown.slice(left, left + EXCERPT_MAX_CHARS);
  const excerptStart = (shownFrom ?? 0) - left;
  const length = Math.max(1, (shownTo ?? 0) - (shownFrom ?? 0));
  return {
    text: cut,
    start: excerptStart,
    length: Math.max(1, Math.min(length, cut.length - excerptStart)),
  };
}
