import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ComebackError, isComebackError } from "@comeback/core";
import { resolveSecret, resolveText, type SecretReference } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import { ScratchFolder } from "./scratch.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const SECRET = "correct horse";

function resolve(reference: SecretReference, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { signal } = new AbortController();
  const world = { env, commands: systemCommandRunner, signal };
  return resolveSecret(reference, world, "destinations.nas.password");
}

async function refusal(
  reference: SecretReference,
  env?: NodeJS.ProcessEnv,
): Promise<ComebackError> {
  try {
    await resolve(reference, env);
  } catch (error) {
    assert.ok(isComebackError(error, "configuration.secret"), String(error));
    const told = JSON.stringify([error.message, error.why, error.next, error.context]);
    assert.ok(!told.includes(SECRET), told);
    assert.ok(error.message.includes("destinations.nas.password"));
    assert.ok(error.next !== undefined);
    return error;
  }
  throw new Error("it was taken");
}

test("a secret comes from a variable, a file, a command, or a credential", async () => {
  const file = scratch.write("key", `${SECRET}\n`);
  assert.equal(await resolve({ env: "P" }, { P: SECRET }), SECRET);
  assert.equal(await resolve({ file }), SECRET);
  assert.equal(await resolve({ command: ["printf", "%s\\n", SECRET] }), SECRET);
  const env = { CREDENTIALS_DIRECTORY: scratch.path };
  assert.equal(await resolve({ credential: "key" }, env), SECRET);
  const { signal } = new AbortController();
  const world = { env: {}, commands: systemCommandRunner, signal };
  assert.equal(await resolveText("as it is", world, "x"), "as it is");
  assert.equal(await resolveText({ file }, world, "x"), SECRET);
});

test("a file that others can read is refused, with what to do", async () => {
  const file = scratch.write("open", SECRET);
  for (const mode of [0o604, 0o602, 0o601, 0o644, 0o666]) {
    chmodSync(file, mode);
    const { why, next } = await refusal({ file });
    assert.match(why ?? "", new RegExp(`mode 0${mode.toString(8)}`));
    assert.equal(next, `run: chmod 600 ${file}`);
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    chmodSync(file, mode);
    assert.equal(await resolve({ file }), SECRET);
  }
});

test("the group may read what is root's and root's group's, and nothing else", async () => {
  // Who is not root cannot make files of others: there, the group alone is told apart.
  const isRoot = process.geteuid?.() === 0;
  const file = scratch.write("group", SECRET, 0o640);
  chmodSync(file, 0o640);
  if (!isRoot) return void (await refusal({ file }));
  assert.equal(await resolve({ file }), SECRET);
  chownSync(file, 0, 1000);
  assert.match((await refusal({ file })).next ?? "", /chmod 600/);
  chownSync(file, 1000, 1000);
  chmodSync(file, 0o600);
  assert.match((await refusal({ file })).why ?? "", /belongs to somebody else/);
});

test("what is not there, is empty, or is no file is told, and never shown", async () => {
  assert.match((await refusal({ env: "P" })).why ?? "", /P is not set/);
  assert.match((await refusal({ env: "P" }, { P: "" })).why ?? "", /is empty/);
  const missing = await refusal({ file: join(scratch.path, "nothing") });
  assert.match(missing.why ?? "", /cannot be read: ENOENT/);
  mkdirSync(join(scratch.path, "folder"));
  const folder = await refusal({ file: join(scratch.path, "folder") });
  assert.match(folder.why ?? "", /is no file/);
  assert.match((await refusal({ credential: "x" })).why ?? "", /CREDENTIALS_DIRECTORY/);
  const large = scratch.write("large", SECRET.repeat(10_000));
  assert.match((await refusal({ file: large })).why ?? "", /larger than a secret/);
});

test("of a command that fails, only its program is told", async () => {
  const shell = (script: string): SecretReference => ({ command: ["/bin/sh", "-c", script] });
  const failed = await refusal(shell(`echo '${SECRET}'; echo '${SECRET}' >&2; exit 3`));
  assert.match(failed.why ?? "", /\/bin\/sh failed \(exit code 3\)/);
  const killed = await refusal(shell("kill -9 $$"));
  assert.match(killed.why ?? "", /ended by SIGKILL/);
  const missing = await refusal({ command: ["no-such-program", SECRET] });
  assert.match(missing.why ?? "", /no-such-program cannot be run/);
  const nothing = await refusal({ command: ["true"] });
  assert.match(nothing.why ?? "", /the command true is empty/);
});

test("whoever stops the run is heard", async () => {
  const controller = new AbortController();
  const world = { env: {}, commands: systemCommandRunner, signal: controller.signal };
  const waiting = resolveSecret({ command: ["sleep", "60"] }, world, "x");
  controller.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
});
