import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError, ExitCode } from "@comeback/core";
import {
  exitErrorMessage,
  mainError,
  renderError,
  renderStack,
  reportOf,
} from "../src/render-error.ts";
import { PLAIN } from "../src/terminal/palette.ts";

const WRONG_PASSWORD = new ComebackError("key.wrong-password", "the password does not fit", {
  why: "none of its 2 keys fits",
  next: "check --password-file",
  exitCode: ExitCode.wrongPassword,
});

test("an error is three short lines", () => {
  assert.equal(
    renderError(reportOf(WRONG_PASSWORD), PLAIN, 80),
    "error: the password does not fit [key.wrong-password]\n" +
      "  why:  none of its 2 keys fits\n" +
      "  next: check --password-file",
  );
});

test("long sentences are wrapped under their label", () => {
  const text = renderError(reportOf(WRONG_PASSWORD), PLAIN, 30);
  assert.equal(
    text,
    "error: the password does not\n" +
      "       fit\n" +
      "       [key.wrong-password]\n" +
      "  why:  none of its 2 keys\n" +
      "        fits\n" +
      "  next: check --password-file",
  );
});

test("with --json it is restic's exit_error message, in exactly its shape", () => {
  assert.deepEqual(JSON.parse(exitErrorMessage(reportOf(WRONG_PASSWORD))), {
    message_type: "exit_error",
    code: 12,
    message: "the password does not fit: none of its 2 keys fits [key.wrong-password]",
  });
});

test("the cause's message stands in for a missing why, or follows it", () => {
  const cause = new Error("EIO: i/o error");
  const plain = reportOf(new ComebackError("backend.io", "a pack cannot be read", { cause }));
  assert.equal(plain.why, "EIO: i/o error");
  const both = new ComebackError("backend.io", "x", { cause, why: "the disk failed" });
  assert.equal(reportOf(both).why, "the disk failed: EIO: i/o error");
});

test("hostile names in an error cannot drive the terminal", () => {
  const error = new ComebackError("backend.io", "cannot read /tmp/\u001b]0;owned\u0007x");
  assert.match(renderError(reportOf(error), PLAIN, 80), /\/tmp\/\\x1b\]0;owned\\x07x/);
});

test("an error that nobody foresaw says so, without a stack", () => {
  const report = reportOf(new TypeError("x is not a function"));
  assert.equal(report.exitCode, 1);
  assert.equal(report.why, "x is not a function");
  assert.match(report.next ?? "", /COMEBACK_DEBUG=1/);
  assert.equal(
    reportOf(Object.assign(new Error("EACCES: no"), { code: "EACCES" })).code,
    "platform.system-call",
  );
});

test("a failure while cleaning up does not hide the failure before it", () => {
  const first = new Error("first");
  const suppressed = new SuppressedError(new Error("while closing"), first);
  assert.equal(mainError(suppressed), first);
  assert.equal(mainError(new AggregateError([first])), first);
  assert.match(
    renderStack(new Error("outer", { cause: first })),
    /outer[^]*caused by Error: first/,
  );
});
