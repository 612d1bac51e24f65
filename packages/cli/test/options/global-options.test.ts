import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { isComebackError } from "@comeback/core";
import {
  addGlobalOptions,
  expandVerboseCount,
  givenFlags,
  type GlobalOptions,
  resolveGlobalOptions,
} from "../../src/options/global-options.ts";

function parse(args: string[], env: NodeJS.ProcessEnv = {}): GlobalOptions {
  const program = addGlobalOptions(new Command()).exitOverride();
  const command = addGlobalOptions(program.command("backup").option("-x")).exitOverride();
  command.argument("[file...]").action(() => {});
  program.parse(expandVerboseCount(args), { from: "user" });
  return resolveGlobalOptions(givenFlags(command), env);
}

test("flags are understood before and behind the command, and in bundles", () => {
  const location = { kind: "location", location: "/r" };
  assert.deepEqual(parse(["-r", "/r", "backup"]).repository, location);
  assert.deepEqual(parse(["backup", "-r", "/r", "dir"]).repository, location);
  assert.equal(parse(["-v", "backup", "-xv"]).verbosity, 2);
  assert.equal(parse(["backup", "--verbose=2"]).verbosity, 2);
  assert.equal(parse(["backup", "-vvvv"]).verbosity, 2);
  assert.equal(parse(["backup"]).useCache, true);
  assert.equal(parse(["--no-cache", "backup"]).useCache, false);
  assert.equal(parse(["backup", "--no-lock", "--no-extra-verify"]).useLock, false);
  assert.equal(parse(["backup", "--no-lock", "--no-extra-verify"]).verifyBlobs, false);
  assert.equal(parse(["backup", "--pack-size", "32"]).packSizeBytes, 32 * 1024 * 1024);
  assert.equal(parse(["backup", "--retry-lock", "5m"]).retryLockMs, 300_000);
});

test("a flag beats the environment, Comeback's variables beat restic's", () => {
  const env = { COMEBACK_REPOSITORY: "/own", RESTIC_REPOSITORY: "/twin" };
  assert.deepEqual(parse(["backup"], env).repository, { kind: "location", location: "/own" });
  assert.deepEqual(parse(["-r", "/flag", "backup"], env).repository, {
    kind: "location",
    location: "/flag",
  });
  assert.deepEqual(parse(["backup"], { RESTIC_REPOSITORY_FILE: "/f" }).repository, {
    kind: "file",
    path: "/f",
  });
  assert.equal(parse(["backup"], {}).repository, undefined);
  assert.equal(parse(["backup"], { RESTIC_COMPRESSION: "max" }).compression, "max");
  assert.equal(parse(["backup"], { RESTIC_PACK_SIZE: "64" }).packSizeBytes, 64 * 1024 * 1024);
});

test("the password's place: command, file, variable, question; never a weaker level first", () => {
  const both = { RESTIC_PASSWORD_FILE: "/twin", COMEBACK_PASSWORD: "own" };
  assert.deepEqual(parse(["backup"], both).password, {
    kind: "variable",
    name: "COMEBACK_PASSWORD",
  });
  assert.deepEqual(parse(["backup", "-p", "/f"], both).password, { kind: "file", path: "/f" });
  assert.deepEqual(parse(["backup"], { RESTIC_PASSWORD_COMMAND: "pass x" }).password, {
    kind: "command",
    command: "pass x",
    option: "RESTIC_PASSWORD_COMMAND",
  });
  assert.deepEqual(parse(["backup"]).password, { kind: "ask" });
});

test("options that make no sense are refused with what would", () => {
  const cases = [
    [["-r", "a", "--repository-file", "b", "backup"], /--repo and --repository-file/],
    [["-p", "a", "--password-command", "b", "backup"], /--password-file and --password-command/],
    [["-q", "-v", "backup"], /--quiet and --verbose/],
    [["--compression", "best", "backup"], /--compression cannot be "best"/],
    [["--pack-size", "3", "backup"], /--pack-size cannot be "3"/],
    [["--retry-lock", "soon", "backup"], /--retry-lock cannot be "soon"/],
  ] as const;
  for (const [args, message] of cases) {
    assert.throws(
      () => parse([...args]),
      (error: unknown) => isComebackError(error, "option.invalid") && message.test(error.message),
    );
  }
});
