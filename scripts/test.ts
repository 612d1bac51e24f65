/**
 * Runs tests with Node's own runner: `test.ts fast` those that need nothing but npm, `test.ts all`
 * those against real services too. Further words keep only the files whose path contains one.
 *
 * Prints one line a file and every failure in full. A skipped test counts as a failure: what did
 * not run has proven nothing.
 */
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import type { EventData } from "node:test";

const fastFolders = [
  "packages/*/test",
  "packages/*/*/test",
  "bench/test",
  "test/workshop",
  "test/simulation/quick",
];
const allFolders = [...fastFolders, "test"];
/** What takes longest begins first, so that at the end no core waits for the other's last file. */
const slowestFirst = ["test/machine/", "test/chaos/", "test/simulation/long/", "test/"];
/** What hangs is ended and reported. The slowest of all take minutes, the fast ones seconds. */
const timeoutsMs: Readonly<Record<string, number>> = { fast: 3 * 60_000, all: 12 * 60_000 };
/** Of a failure's text; a difference between two trees can be a megabyte. */
const failureTextMaxChars = 8_000;

const [mode = "fast", ...words] = process.argv.slice(2);
if (!(mode in timeoutsMs)) throw new Error(`fast or all, not ${mode}`);
/** Tests against services wait for disks, servers and pauses for more than half of their time. */
const filesAtOnce = availableParallelism() + (mode === "all" ? 3 : 0);
// Each test file and each thread of it would take the types out of all sources anew: that was half
// of the time of many files.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../node_modules/.cache/tests");

// With all tests, the program runs as it is published, in a place of its own: its tests build the
// package anew. It starts in half the time that it takes from sources, and starts thousands of times.
const programUnderTest = "dist/under-test";
if (mode === "all") {
  const build = ["scripts/build.ts", "--program-only", "--target", programUnderTest];
  execFileSync(process.execPath, build, { stdio: "inherit" });
  process.env["COMEBACK_UNDER_TEST"] = join(process.cwd(), programUnderTest, "bin/comeback");
}

const folders = mode === "all" ? allFolders : fastFolders;
const files = [...new Set(folders.flatMap((folder) => globSync(`${folder}/**/*.test.ts`)))]
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .toSorted((a, b) => turnOf(a) - turnOf(b) || (a < b ? -1 : 1));

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const seen = new Map<string, { passed: number; failed: number; skipped: number }>();

function turnOf(file: string): number {
  const turn = slowestFirst.findIndex((start) => file.startsWith(start));
  return turn < 0 ? slowestFirst.length : turn;
}

function relativeName(file: string | undefined): string {
  return file === undefined ? "?" : file.replace(`${process.cwd()}/`, "");
}

function describeFailure(event: EventData.TestFail): string {
  const error = event.details.error;
  const cause = error.cause instanceof Error ? error.cause : error;
  const where = `${relativeName(event.file)}${event.line === undefined ? "" : `:${event.line}`}`;
  const text = (cause.stack ?? cause.message).slice(0, failureTextMaxChars);
  return `✖ ${event.name}\n  ${where}\n${text.replaceAll(/^/gm, "    ")}`;
}

function count(event: EventData.TestPass | EventData.TestFail, kind: keyof typeof totals): void {
  totals[kind]++;
  // Tests of a shared suite lie in another file than the one that ran them.
  const name = relativeName(event.entryFile ?? event.file);
  const counts = seen.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
  counts[kind]++;
  seen.set(name, counts);
}

/** `false` and absent both mean that the test was not marked; a reason or `true` that it was. */
function isMarked(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false;
}

function onPass(event: EventData.TestPass): void {
  // The runner passes a file that holds no test under the file's own name.
  if (event.name === relativeName(event.file)) return;
  if (isMarked(event.skip) || isMarked(event.todo)) count(event, "skipped");
  else if (event.details.type !== "suite") count(event, "passed");
}

function failureTypeOf(error: Error): unknown {
  return "failureType" in error ? error.failureType : undefined;
}

function onFail(event: EventData.TestFail): void {
  // A suite or file that fails only because a test in it failed would say it twice.
  if (failureTypeOf(event.details.error) === "subtestsFailed") return;
  count(event, "failed");
  failures.push(describeFailure(event));
}

function onFileDone(event: EventData.TestSummary): void {
  if (event.file === undefined) return;
  const name = relativeName(event.file);
  const { passed, failed, skipped } = seen.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
  const mark = failed > 0 ? "✖" : skipped > 0 ? "﹣" : "✔";
  const notPassed = failed + skipped === 0 ? "" : `, ${failed} failed, ${skipped} skipped`;
  const seconds = (event.duration_ms / 1000).toFixed(1);
  console.log(`${mark} ${name} (${passed} passed${notPassed}, ${seconds} s)`);
}

function onEnd(): void {
  for (const failure of failures) console.log(`\n${failure}`);
  for (const file of files.filter((name) => !seen.has(name))) {
    totals.failed++;
    console.log(`✖ ${file}: no test in it ran`);
  }
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed + totals.skipped === 0 ? 0 : 1;
}

if (files.length === 0) {
  console.error(`no test file matches ${words.join(" ")}`);
  process.exitCode = 1;
} else {
  const stream = run({
    files,
    concurrency: filesAtOnce,
    timeout: timeoutsMs[mode] ?? 0,
  });
  stream.on("test:pass", onPass);
  stream.on("test:fail", onFail);
  stream.on("test:stderr", (event) => process.stderr.write(event.message));
  stream.on("test:summary", onFileDone);
  stream.on("end", onEnd);
  stream.resume();
}
