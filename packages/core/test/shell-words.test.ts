import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { isComebackError } from "../src/errors.ts";
import { splitShellWords } from "../src/shell-words.ts";

test("words are split as a shell splits them", () => {
  const cases = [
    ["pass show backup", ["pass", "show", "backup"]],
    ["  cat   '/my key'  ", ["cat", "/my key"]],
    ['sh -c "echo \\"x y\\""', ["sh", "-c", 'echo "x y"']],
    ["a\\ b c'd'\"e\"", ["a b", "cde"]],
    ["x '' \"\"", ["x", "", ""]],
    ["\"a\\b\" 'a\\b'", ["a\\b", "a\\b"]],
    ["$HOME `x` *", ["$HOME", "`x`", "*"]],
  ] as const;
  for (const [text, words] of cases) assert.deepEqual(splitShellWords("--x", text), words);
});

test("what cannot be split is an error that names the option", () => {
  for (const text of ["", "   ", "'open", '"open']) {
    assert.throws(
      () => splitShellWords("--password-command", text),
      (error: unknown) =>
        isComebackError(error, "option.invalid") && error.message.startsWith("--password-command"),
    );
  }
});

test("sh agrees, wherever it does nothing else", () => {
  const piece = fc.constantFrom("a", "b c", "'d e'", '"f g"', "\\ ", '"\\""', "''", "x'y'z", "  ");
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
      const text = pieces.join("");
      fc.pre(text.trim() !== "");
      const output = execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${text}`]).toString();
      assert.deepEqual(splitShellWords("--x", text), output.split("\0").slice(0, -1));
    }),
    { numRuns: 60 },
  );
});
