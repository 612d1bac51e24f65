import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { addAlsoToOptions, type AlsoTo } from "../../src/options/also-to.ts";

function parse(...args: readonly string[]): readonly AlsoTo[] {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  const list = addAlsoToOptions(command);
  command.parse(args, { from: "user" });
  return list;
}

test("a password belongs to the repository before it", () => {
  const plain = ["--also-to", "/b"];
  const withFile = ["--also-to=/c", "--also-password-file", "/c.pw"];
  const withCommand = ["--also-to", "/d", "--also-password-command", "pass d"];
  const list = parse(...plain, ...withFile, ...withCommand);
  assert.deepEqual(list, [
    { location: "/b" },
    {
      location: "/c",
      password: { kind: "file", path: "/c.pw", option: "--also-password-file" },
    },
    {
      location: "/d",
      password: { kind: "command", command: "pass d", option: "--also-password-command" },
    },
  ]);
  assert.deepEqual(parse(), []);
});

test("a password without a repository, or two for one, are mistakes", () => {
  assert.throws(
    () => parse("--also-password-file", "x", "--also-to", "/b"),
    /before any --also-to/,
  );
  const twice = ["--also-to", "/b", "--also-password-file", "x", "--also-password-command", "y"];
  assert.throws(() => parse(...twice), /second answer/);
});
