import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ComebackError, isComebackError, splitShellWords } from "@comeback/core";
import { loadConfiguration, type LoadedConfiguration } from "@comeback/operations";
import { systemClock, systemRandom } from "@comeback/platform";
import { destinationContext } from "../../src/configuration/destination-context.ts";
import { shellLine } from "../../src/configuration/quote-shell-word.ts";
import type { CommandContext } from "../../src/context.ts";
import { readPassword } from "../../src/opening/read-password.ts";
import { openSession } from "../../src/opening/session.ts";
import { resolveGlobalOptions } from "../../src/options/global-options.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { makeQuickRepository } from "../command-line/quick-repository.ts";
import { PASSWORD } from "../command-line/run-comeback.ts";
import { RecordingStream } from "../recording-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "comeback-destinations-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();

function commandContext(env: NodeJS.ProcessEnv): CommandContext {
  const stream = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout: stream, stderr: stream, env });
  const globals = resolveGlobalOptions({}, env);
  return { env, terminal, signal, clock: systemClock, random: systemRandom, globals };
}

function loaded(destinations: string): Promise<LoadedConfiguration> {
  const path = join(folder, "comeback.yaml");
  writeFileSync(path, `destinations:\n${destinations}\nplans: {}\n`);
  return loadConfiguration({ path, env: {}, signal });
}

test("each destination has its own environment, and none of another's identity", async () => {
  const configuration = await loaded(`
  one:
    repo: s3:https://a.example.com/b
    password: { env: ONE }
    environment: { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: { env: ONE } }
  two: { repo: s3:https://b.example.com/b, password: { env: TWO } }`);
  const env = {
    ONE: "1",
    TWO: "2",
    AWS_PROFILE: "mine",
    AWS_SESSION_TOKEN: "token",
    AWS_REGION: "eu-1",
  };
  const context = commandContext(env);
  const one = await destinationContext(context, configuration, "one");
  const two = await destinationContext(context, configuration, "two");
  assert.deepEqual(one.env, {
    ONE: "1",
    TWO: "2",
    AWS_REGION: "eu-1",
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "1",
  });
  assert.deepEqual(two.env, env);
  assert.equal(one.outer, context);
  assert.equal(await readPassword(one, { isNew: true }), "1");
  assert.equal(await readPassword(two, { isNew: false }), "2");
});

test("two destinations with different passwords are open at once", async () => {
  for (const name of ["a", "b"]) await makeQuickRepository(join(folder, name));
  const configuration = await loaded(
    `
  a: { repo: ${folder}/a, password: { env: RIGHT } }
  b: { repo: ${folder}/b, password: { command: [printf, ${JSON.stringify(PASSWORD)}] } }
  wrong: { repo: ${folder}/b/, password: { env: WRONG } }`.replace(
      `${folder}/b/, pass`,
      `${folder}/c, pass`,
    ),
  );
  await makeQuickRepository(join(folder, "c"));
  const context = commandContext({ RIGHT: PASSWORD, WRONG: "wrong" });
  const open = async (name: string): ReturnType<typeof openSession> =>
    openSession(await destinationContext(context, configuration, name), { lock: "shared" });
  await using a = await open("a");
  await using b = await open("b");
  assert.notEqual(a.repository.config.id, b.repository.config.id);
  await assert.rejects(open("wrong"), (error) => isComebackError(error, "key.wrong-password"));
});

test("a password is not asked for before it is needed", async () => {
  const configuration = await loaded(`  x: { repo: /nothing, password: { env: MISSING } }`);
  const context = await destinationContext(commandContext({}), configuration, "x");
  await assert.rejects(readPassword(context, { isNew: false }), (error) =>
    isComebackError(error, "configuration.secret"),
  );
});

test("a mount, options, limits and sizes become what the command line would say", async () => {
  const configuration = await loaded(`
  nas:
    repo: /mnt/nas/x
    password: { env: P }
    mount: { point: /mnt/nas, command: [mount, "/mnt/my nas", "it's"], marker: .here, wait: 1m }
    limit-upload: 5M
    limit-window: "22:00-06:00"
    pack-size: 32M
    compression: max
    retry-lock: 1m
  cloud:
    repo: s3:https://s3.example.com/b
    hot: /var/hot
    password: { env: P }
    options: { s3.region: eu-1, s3.connections: 8 }`);
  const context = commandContext({});
  const { globals } = await destinationContext(context, configuration, "nas");
  assert.deepEqual(globals.storage.settings, [
    { scheme: "local", name: "mount-point", value: "/mnt/nas" },
    { scheme: "local", name: "mount-command", value: `mount '/mnt/my nas' 'it'\\''s'` },
    { scheme: "local", name: "marker", value: ".here" },
    { scheme: "local", name: "mount-wait", value: "60000ms" },
  ]);
  assert.equal(globals.storage.limits.uploadBytesPerSecond, 5 * 1024 ** 2);
  assert.deepEqual(
    [globals.packSizeBytes, globals.compression, globals.retryLockMs],
    [32 * 1024 ** 2, "max", 60_000],
  );
  const isInWindow = (window: string): boolean => window !== "22:00-06:00";
  const outside = await destinationContext(context, configuration, "nas", { isInWindow });
  assert.deepEqual(outside.globals.storage.limits, {});
  const cloud = (await destinationContext(context, configuration, "cloud")).globals;
  assert.equal(cloud.hotRepository, "/var/hot");
  assert.ok(cloud.storage.hasSeveralRepositories);
  assert.deepEqual(cloud.storage.settings, [
    { scheme: "s3", name: "region", value: "eu-1" },
    { scheme: "s3", name: "connections", value: "8" },
  ]);
});

test("a place that is not mounted is not written", async () => {
  mkdirSync(join(folder, "bare"));
  const configuration = await loaded(`
  nas:
    repo: ${folder}/bare/x
    password: { env: P }
    mount: { point: ${folder}/bare, command: ["true"], wait: 1s }`);
  const context = await destinationContext(commandContext({ P: "x" }), configuration, "nas");
  await assert.rejects(openSession(context, { lock: "none" }), (error) =>
    isComebackError(error, "backend.not-mounted"),
  );
});

test("a name that is none is refused with those that there are", async () => {
  const configuration = await loaded(`  nas: { repo: /x, password: { env: P } }`);
  for (const name of ["nsa", "constructor", "__proto__"]) {
    await assert.rejects(destinationContext(commandContext({}), configuration, name), (error) => {
      assert.ok(error instanceof ComebackError && error.next === "there is nas");
      return true;
    });
  }
});

test("a command line that was put together is taken apart again", () => {
  for (const argv of [["mount", "/a b"], ["it's", '"', "\\", "$HOME", "", "a\nb"], ["x=1,2"]]) {
    assert.deepEqual(splitShellWords("x", shellLine(argv)), argv);
  }
});
