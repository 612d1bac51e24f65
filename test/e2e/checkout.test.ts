import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");

/** As a person would in the checkout: without what npm adds to PATH for its scripts. */
function run(program: string, args: readonly string[]): string {
  const PATH = (process.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .join(":");
  const env = { ...process.env, PATH };
  return execFileSync(program, args, { cwd: root, env, encoding: "utf8" });
}

for (const [program, ...words] of [
  ["bin/comeback"],
  // `--no` refuses to fetch anything: the program has to be the checkout's own.
  ["npx", "--no", "--", "comeback"],
] as const) {
  test(`${[program, ...words].join(" ")} runs from the sources, whatever Node the system has`, () => {
    const version = run(program, [...words, "version"]);
    assert.match(version, /^comeback \d+\.\d+\.\d+/);
  });
}
