import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, PASSWORD, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const here = scratch.at("here");
const source = scratch.at("source");
const key = scratch.at("key");
for (const folder of [here, source]) mkdirSync(folder);
writeFileSync(`${source}/file`, "content\n");
writeFileSync(key, `${PASSWORD}\n`, { mode: 0o600 });
await makeQuickRepository(scratch.at("first"));
await makeQuickRepository(scratch.at("second"));

const CONFIGURATION = `defaults: { destination: { password: { file: ${key} } } }
destinations:
  first: { repo: ${scratch.at("first")}, compression: max }
  second: { repo: ${scratch.at("second")}, environment: { SECRET_TOKEN: plain-text } }
  third: { repo: ${scratch.at("third")} }
state: ${scratch.at("state")}
channels:
  ops: { webhook: { url: { env: HOOK_URL } } }
plans:
  shop:
    schedule: { full: monthly 1 01:00, incremental: daily 02:00 }
    sources: { content: { files: ${source} } }
    to: first
    objectives: { rto: 1h }
    copies: [{ from: first, to: second }]
    notify: ops
  other:
    sources: { gone: { files: ${scratch.at("gone")} } }
    to: third
`;
const path = scratch.at("comeback.yaml");
writeFileSync(path, CONFIGURATION, { mode: 0o600 });
/** No password of its own: the destination says where it is. */
const env = { COMEBACK_PASSWORD: "", COMEBACK_CONFIG: path, HOOK_URL: "http://127.0.0.1:9/hook" };
const options = { env, cwd: here };

test("-r NAME opens a destination with any command", () => {
  const backup = runComeback(["-r", "first", "backup", "--json", source], options);
  assert.equal(backup.exitCode, 0, backup.stderr);
  const listed = runComeback(["-r", "first", "snapshots", "--json"], options);
  assert.equal((JSON.parse(listed.stdout) as unknown[]).length, 1, listed.stderr);
  const named = runComeback(["snapshots", "--json"], {
    cwd: here,
    env: { ...env, COMEBACK_REPOSITORY: "second" },
  });
  assert.equal((JSON.parse(named.stdout) as unknown[]).length, 0, named.stderr);
});

test("a flag beats what the destination says", () => {
  const wrong = scratch.at("wrong");
  writeFileSync(wrong, "wrong\n", { mode: 0o600 });
  const { exitCode } = runComeback(["-r", "first", "-p", wrong, "snapshots"], options);
  assert.equal(exitCode, 12);
});

test("a word that is no destination is a folder; one that is both is refused", () => {
  const none = runComeback(["-r", "frist", "snapshots"], options);
  assert.equal(none.exitCode, 10, none.stderr);
  assert.match(none.stderr, /"frist" names no repository[^]*did you mean "first"\?/);
  const far = runComeback(["-r", "elsewhere", "snapshots"], options);
  assert.match(far.stderr, /there is first, second, third/);
  mkdirSync(`${here}/second`);
  const both = runComeback(["-r", "second", "snapshots"], options);
  assert.equal(both.exitCode, 1);
  assert.match(both.stderr, /is a destination of .*\s+and a folder here[^]*write \.\/second for/);
  const folder = runComeback(["-r", "./second", "snapshots"], options);
  assert.equal(folder.exitCode, 10, folder.stderr);
});

test("a configuration that is broken is told, but not where a folder is meant", () => {
  const broken = scratch.at("broken.yaml");
  writeFileSync(broken, CONFIGURATION.replace("repo:", "rebo:"));
  const told = runComeback(["-r", "first", "--config", broken, "snapshots"], options);
  assert.equal(told.exitCode, 1);
  assert.match(told.stderr, /broken\.yaml:3:12\n.*found "rebo"[^]*did you mean "repo"\?/);
  assert.match(told.stderr, /\n +3 \| +first: \{ rebo: [^\n]*\n +\^{4}\n/);
  const json = runComeback(["-r", "first", "--config", broken, "snapshots", "--json"], options);
  const [message] = jsonLines(json.stderr);
  assert.deepEqual(
    (message!["problems"] as { line: number; suggestion: string }[]).map((problem) => [
      problem.line,
      problem.suggestion,
    ]),
    [[3, "repo"]],
  );
  mkdirSync(`${here}/plain`);
  const folder = runComeback(["-r", "plain", "--config", broken, "snapshots"], options);
  assert.equal(folder.exitCode, 10, folder.stderr);
});

test("a key file that others can read opens nothing", () => {
  chmodSync(key, 0o644);
  const { exitCode, stderr } = runComeback(["-r", "first", "snapshots"], options);
  chmodSync(key, 0o600);
  assert.equal(exitCode, 1);
  assert.match(stderr, /\[configuration\.secret\][^]*chmod 600/);
});

test("plan list and show say what the plans are, and no secret", () => {
  const list = runComeback(["plan", "list"], options);
  assert.equal(list.exitCode, 0, list.stderr);
  assert.match(list.stdout, /shop {2,}full monthly 1 01:00 {2,}content {2,}first/);
  assert.match(list.stdout, /other {2,}by hand {2,}gone {2,}third/);
  for (const line of list.stdout.split("\n")) assert.ok(line.length <= 80, line);
  const json = JSON.parse(runComeback(["plan", "list", "--json"], options).stdout) as object[];
  assert.equal(json.length, 2);
  const show = runComeback(["plan", "show", "shop"], options);
  assert.equal(show.exitCode, 0, show.stderr);
  assert.ok(show.stdout.includes(`file: ${key}`), show.stdout);
  assert.ok(!show.stdout.includes("plain-text") && !show.stdout.includes("third"), show.stdout);
  assert.match(show.stdout, /\n# shop: a recovery takes nobody knows how long\n$/);
  const none = runComeback(["plan", "show", "shpo"], options);
  assert.match(none.stderr, /no plan is called "shpo" \[plan\.not-found\][^]*shop, other/);
});

test("plan check looks at the world", () => {
  const good = runComeback(["plan", "check", "shop"], options);
  assert.equal(good.exitCode, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /passed +content: .*is there and can be\s+read/);
  assert.match(good.stdout, /passed +first: the password opens it: 1 snapshot/);
  assert.match(good.stdout, /passed +channels\.ops\.webhook\.url: the variable\s+HOOK_URL/);
  assert.match(good.stdout, /all is as it should be/);
  for (const line of good.stdout.split("\n")) assert.ok(line.length <= 80, line);

  const bad = runComeback(["plan", "check", "--json"], {
    ...options,
    env: { ...env, HOOK_URL: "" },
  });
  assert.equal(bad.exitCode, 1);
  const failed = jsonLines(bad.stdout).filter(({ state }) => state === "failed");
  assert.deepEqual(
    failed.map(({ subject }) => subject),
    ["channels.ops.webhook.url", `gone: ${scratch.at("gone")}`, "third"],
  );
  assert.equal(failed[2]?.["next"], "make it: comeback -r third init");
  assert.deepEqual(jsonLines(bad.stdout).at(-1), { message_type: "summary", ready: false });
  assert.ok(!existsSync(scratch.at("third")), "a check makes nothing");
  assert.equal(readdirSync(`${scratch.at("first")}/locks`).length, 0);
});

test("what plan check says to do, helps", () => {
  const { exitCode, stderr } = runComeback(["-r", "third", "init", "-q"], options);
  assert.equal(exitCode, 0, stderr);
  mkdirSync(`${scratch.at("gone")}/not-empty`, { recursive: true });
  const { stdout } = runComeback(["plan", "check", "other"], options);
  assert.match(stdout, /all is as it should be/);
});

test("plan schema prints the JSON Schema, and without a configuration the rest says where it looked", () => {
  const schema = JSON.parse(runComeback(["plan", "schema"], { cwd: here }).stdout) as object;
  assert.ok("properties" in schema);
  const empty = { cwd: here, env: { HOME: here, COMEBACK_CONFIG: "" } };
  const { exitCode, stderr } = runComeback(["plan", "list"], empty);
  assert.equal(exitCode, 1);
  assert.match(stderr, /\[configuration\.missing\][^]*--config FILE/);
});
