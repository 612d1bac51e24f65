import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import {
  cleanEnvironment,
  COMEBACK,
  PASSWORD,
  runComeback,
  type RunOptions,
  ScratchFolder,
} from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
await makeQuickRepository(repository);
const file = scratch.at("password");
writeFileSync(file, `\ufeff  ${PASSWORD}\r\n`);
const none = { COMEBACK_PASSWORD: "" };

function opens(args: readonly string[], options: RunOptions): void {
  const { exitCode, stderr } = runComeback(["-r", repository, "snapshots", ...args], options);
  assert.equal(exitCode, 0, stderr);
}

test("every way to hand over the password opens the repository", () => {
  opens([], {});
  opens(["-p", file], { env: none });
  opens(["--password-command", `echo '${PASSWORD}'`], { env: none });
  opens([], { env: { ...none, COMEBACK_PASSWORD_FILE: file } });
  opens([], { env: { ...none, RESTIC_PASSWORD: PASSWORD } });
  opens([], { env: { ...none, RESTIC_PASSWORD_FILE: file } });
  opens([], { env: { ...none, RESTIC_PASSWORD_COMMAND: `cat "${file}"` } });
  opens([], { env: none, input: `${PASSWORD}\n` });
});

test("the repository's place may come from a file or the environment", () => {
  const place = scratch.at("place");
  writeFileSync(place, `${repository}\n`);
  for (const [args, env] of [
    [["--repository-file", place], {}],
    [[], { COMEBACK_REPOSITORY: repository }],
    [[], { RESTIC_REPOSITORY: `local:${repository}` }],
    [[], { RESTIC_REPOSITORY_FILE: place }],
  ] as const) {
    const { exitCode, stderr } = runComeback(["snapshots", ...args], { env });
    assert.equal(exitCode, 0, stderr);
  }
});

test("a way that leads nowhere is named, the password never", () => {
  const cases = [
    [["-p", scratch.at("missing")], /the password file cannot be read/],
    [["--password-command", "no-such-program --token s3cret"], /there is no such program/],
    [["--password-command", "sh -c 'echo s3cret; exit 4'"], /exit code 4/],
    [["--password-command", "'open"], /a quote that is not closed/],
    [[], /the password is empty/],
  ] as const;
  for (const [args, says] of cases) {
    const outcome = runComeback(["-r", repository, "snapshots", ...args], { env: none });
    assert.equal(outcome.exitCode, 1);
    assert.match(outcome.stderr, says);
    assert.ok(!(outcome.stdout + outcome.stderr).includes("s3cret"));
  }
});

/** Runs a command line on a terminal of its own, and types when it is asked. */
async function onTerminal(
  args: readonly string[],
  answers: readonly string[],
): Promise<{ exitCode: number | null; screen: string }> {
  // script(1) gives its child a terminal and passes its own standard input on as typed.
  const line = [COMEBACK, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], { env: cleanEnvironment(none) });
  let screen = "";
  let asked = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString("utf8");
    if ((screen.match(/enter (the )?(new )?password/g) ?? []).length <= asked) return;
    child.stdin.write(answers[asked++] ?? "");
  });
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, screen };
}

test("on a terminal the password is asked for and not shown", async () => {
  const right = await onTerminal(["-r", repository, "snapshots"], [`wrongg\b\u0015${PASSWORD}\r`]);
  assert.equal(right.exitCode, 0, right.screen);
  assert.match(right.screen, /enter password for the repository/);
  assert.match(right.screen, /no snapshots/);
  assert.ok(!right.screen.includes(PASSWORD));
  const stopped = await onTerminal(["-r", repository, "snapshots"], ["corr\u0003"]);
  assert.equal(stopped.exitCode, 130, stopped.screen);
});

test("a new password is asked for twice", async () => {
  const twice = await onTerminal(["-r", scratch.at("new"), "init"], ["one\r", "one\r"]);
  assert.equal(twice.exitCode, 0, twice.screen);
  const different = await onTerminal(["-r", scratch.at("newer"), "init"], ["one\r", "two\r"]);
  assert.equal(different.exitCode, 1);
  assert.match(different.screen, /the two passwords are not the same/);
});

test("a further password is asked for twice after the first one, and shown nowhere", async () => {
  const secret = "further and secret";
  const answers = [`${PASSWORD}\r`, `${secret}\r`, `${secret}\r`];
  const added = await onTerminal(["-r", repository, "key", "add"], answers);
  assert.equal(added.exitCode, 0, added.screen);
  assert.match(
    added.screen,
    /enter the new password:[^]*enter the password again:[^]*saved new key/,
  );
  assert.ok(!added.screen.includes(secret));
  opens([], { env: { COMEBACK_PASSWORD: secret } });
  const different = [`${PASSWORD}\r`, "one\r", "two\r"];
  const refused = await onTerminal(["-r", repository, "key", "passwd"], different);
  assert.equal(refused.exitCode, 1);
  opens([], {});
});
