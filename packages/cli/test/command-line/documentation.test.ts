import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runComeback } from "./run-comeback.ts";

const MANUAL = readFileSync(new URL("../../../../docs/reference/cli.md", import.meta.url), "utf8");

function help(...args: string[]): string {
  const { exitCode, stdout, stderr } = runComeback([...args, "--help"]);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

/** What stands at the beginning of a help text's lines. */
function flagsIn(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
}

const COMMANDS = [...help().matchAll(/^ {2}([a-z]+) {2,}/gm)]
  .map(([, name]) => name ?? "")
  .filter((name) => name !== "help");

test("help fits 80 columns", () => {
  for (const args of [[], ...COMMANDS.map((name) => [name])]) {
    for (const line of help(...args).split("\n")) assert.ok(line.length <= 80, line);
  }
});

test("the manual knows every command and every option, and no other", () => {
  const known = new Set(["--help", "--version"]);
  for (const name of COMMANDS) {
    if (name !== "version") assert.match(MANUAL, new RegExp(`^### ${name}$`, "m"));
    for (const flag of flagsIn(help(name))) known.add(flag);
  }
  for (const flag of known) {
    if (flag === "--version") continue;
    assert.ok(new RegExp(`${flag}(?![a-z-])`).test(MANUAL), `${flag} is not in the manual`);
  }
  for (const [flag] of MANUAL.matchAll(/(?<![\w-])--[a-z]+(?:-[a-z]+)*/g)) {
    assert.ok(known.has(flag), `${flag} is in the manual only`);
  }
});

test("version, help, and no command at all are no errors", () => {
  assert.match(runComeback(["--version"]).stdout, /^comeback \d+\.\d+\.\d+\n$/);
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  assert.ok(runComeback(["version"]).stdout.startsWith(`comeback ${version} `));
  const bare = runComeback([]);
  assert.equal(bare.exitCode, 0);
  assert.match(bare.stdout, /^Usage: comeback/);
  assert.match(runComeback(["help", "backup"]).stdout, /^Usage: comeback backup/);
});
