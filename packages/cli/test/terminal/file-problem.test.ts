import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { exitErrorMessage, renderError, reportOf } from "../../src/render-error.ts";
import { renderFileProblem } from "../../src/terminal/file-problem.ts";
import { PLAIN } from "../../src/terminal/palette.ts";

const PROBLEM = {
  file: "/etc/comeback.yaml",
  line: 12,
  column: 9,
  message: 'no destination is called "nsa"; there is nas',
  suggestion: "nas",
  excerpt: { text: "    to: nsa", start: 8, length: 3 },
};

test("a place in a file is shown with its line and a mark", () => {
  assert.deepEqual(renderFileProblem(PROBLEM, PLAIN, 60), [
    "/etc/comeback.yaml:12:9",
    '  no destination is called "nsa"; there is nas; did you mean',
    '  "nas"?',
    "  12 |     to: nsa",
    "               ^^^",
  ]);
});

test("of a long line, the part around the mark is shown", () => {
  const text = `${"x".repeat(100)} here ${"y".repeat(100)}`;
  const lines = renderFileProblem(
    { ...PROBLEM, excerpt: { text, start: 101, length: 4 } },
    PLAIN,
    60,
  );
  const [shown = "", mark = ""] = lines.slice(-2);
  assert.ok(shown.length <= 60, shown);
  assert.equal(shown.slice(mark.indexOf("^"), mark.indexOf("^") + 4), "here");
});

test("what would drive the terminal is shown as what it is", () => {
  const excerpt = { text: "a\u001b[2Jb: c", start: 0, length: 6 };
  const text = renderFileProblem({ ...PROBLEM, file: "/x\n/y", excerpt }, PLAIN, 80).join("\n");
  assert.ok(!text.includes("\u001b") && text.includes("\\x1b[2J") && text.includes("/x\\n/y"));
});

test("an error tells its problems to people and to programs", () => {
  const error = new ComebackError("configuration.invalid", "the configuration has one problem", {
    next: "mend it",
    problems: [PROBLEM],
  });
  const text = renderError(reportOf(error), PLAIN, 80);
  assert.match(text, /^error: .*\[configuration\.invalid\]\n\n\/etc\/comeback\.yaml:12:9\n/);
  assert.match(text, /\^\^\^\n\n {2}next: mend it$/);
  const { file, line, column, message: said, suggestion } = PROBLEM;
  const message = JSON.parse(exitErrorMessage(reportOf(error))) as { problems: unknown };
  assert.deepEqual(message.problems, [{ file, line, column, message: said, suggestion }]);
});
