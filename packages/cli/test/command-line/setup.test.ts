import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import {
  cleanEnvironment,
  COMEBACK,
  jsonLines,
  PASSWORD,
  runComeback,
  ScratchFolder,
} from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const source = scratch.at("source");
mkdirSync(source);
writeFileSync(`${source}/letter`, "dear all\n");

const KEY = /\b(?:[2-9A-HJ-NP-Z]{4}-){7}[2-9A-HJ-NP-Z]{4}\b/g;

/** A place of its own for each test: its configuration is not there yet. */
function place(name: string) {
  mkdirSync(scratch.at(name));
  const config = scratch.at(`${name}/comeback.yaml`);
  const repository = scratch.at(`${name}/repository`);
  const env = {
    COMEBACK_PASSWORD: undefined,
    COMEBACK_CONFIG: config,
    XDG_STATE_HOME: scratch.at(`${name}/state`),
  };
  const run = (...args: string[]) => runComeback(args, { env });
  return { config, repository, env, run, key: scratch.at(`${name}/repository.key`) };
}

/** The state folder of a test must not be the machine's own. */
function withState(config: string, state: string): void {
  writeFileSync(config, `state: ${state}\n${readFileSync(config, "utf8")}`, { mode: 0o600 });
}

test("setup, plan check, run, status: from nothing to safe", () => {
  const { config, repository, run, key } = place("first");
  const args = ["setup", "--yes", "--path", source, "--repo", repository, "--plan", "letters"];
  const dry = run(...args, "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(dry.stdout, /Protected will be:\n {2}- .*source\n/);
  for (const path of [config, repository, key]) assert.ok(!existsSync(path), path);

  const setup = run(...args, "--at", "03:30");
  assert.equal(setup.exitCode, 0, setup.stderr);
  assert.equal(setup.stdout.match(KEY)?.length, 1, "the recovery key is shown once");
  assert.ok(readFileSync(key, "utf8").includes(setup.stdout.match(KEY)![0]));
  for (const path of [key, config]) assert.equal(statSync(path).mode & 0o777, 0o600, path);
  for (const line of setup.stdout.split("\n")) {
    if (!line.includes(scratch.path)) assert.ok(line.length <= 80, line);
  }
  assert.match(readFileSync(config, "utf8"), /daily 03:30/);

  const again = run(...args);
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /there is a configuration already/);
  assert.ok(!again.stdout.includes("-"), "nothing is shown as if it were about to be done");

  withState(config, scratch.at("first/state"));
  const check = run("plan", "check");
  assert.equal(check.exitCode, 0, check.stdout + check.stderr);
  const before = run("status");
  assert.equal(before.exitCode, 1);
  assert.match(before.stdout, /You are not protected/);
  const done = run("run");
  assert.equal(done.exitCode, 0, done.stdout + done.stderr);
  const status = run("status");
  assert.equal(status.exitCode, 0, status.stdout + status.stderr);
  assert.match(status.stdout, /^You are safe\./);
  for (const { stdout } of [check, done, status]) {
    assert.ok(!KEY.test(stdout));
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  }
});

test("from a URL and a password alone, the configuration comes back byte by byte", () => {
  const { config, repository, env } = place("bare");
  const setup = runComeback(["setup", "--yes", "--path", source, "--repo", repository], { env });
  assert.equal(setup.exitCode, 0, setup.stderr);
  const password = setup.stdout.match(KEY)![0];
  withState(config, scratch.at("bare/state"));
  const text = readFileSync(config, "utf8");
  for (let i = 0; i < 2; i++) {
    const run = runComeback(["run", "-q"], { env });
    assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  }
  const bare = {
    COMEBACK_PASSWORD: password,
    COMEBACK_CONFIG: undefined,
    HOME: scratch.at("none"),
  };
  const target = scratch.at("bare/kit");
  const kit = runComeback(["-r", repository, "recover", "--kit", "--target", target], {
    env: bare,
  });
  assert.equal(kit.exitCode, 0, kit.stderr);
  assert.match(kit.stdout, /RECOVERY\.md[^]*Next:\n {2}1\. put\s+\//);
  assert.equal(readFileSync(`${target}/configuration${config}`, "utf8"), text);
  assert.match(readFileSync(`${target}/RECOVERY.md`, "utf8"), /recover --kit --target DIR/);
  const lines = jsonLines(readFileSync(`${target}/catalog.jsonl`, "utf8"));
  assert.equal(lines.filter((line) => "run" in line).length, 1, "of the run before");
  const full = runComeback(["-r", repository, "recover", "--kit", "--target", target], {
    env: bare,
  });
  assert.match(full.stderr, /is not empty \[restore\.target\]/);
  const other = ["-r", repository, "recover", "--kit", "--target", scratch.at("bare/x")];
  const none = runComeback([...other, "--host", "nobody"], { env: bare });
  assert.match(none.stderr, /there is no bootstrap kit[^]*snapshot/);
  const json = runComeback([...other, "--json"], { env: bare });
  const [message] = jsonLines(json.stdout);
  assert.deepEqual(
    (message!["files"] as string[]).map((path) => path.replace(config, "")),
    ["/RECOVERY.md", "/catalog.jsonl", "/configuration"],
  );
});

test("a repository that is there needs its key, and nothing is written without it", async () => {
  const { config, repository, run, key } = place("second");
  await makeQuickRepository(repository);
  const args = ["setup", "--yes", "--path", source, "--repo", repository];
  const without = run(...args);
  assert.equal(without.exitCode, 1);
  assert.match(without.stderr, /there is a repository at [^]*--key-file/);
  for (const path of [config, key]) assert.ok(!existsSync(path), path);
  const wrong = scratch.at("second/wrong");
  writeFileSync(wrong, "wrong\n", { mode: 0o600 });
  assert.equal(run(...args, "--key-file", wrong).exitCode, 12);
  assert.ok(!existsSync(config));
  const right = scratch.at("second/right");
  writeFileSync(right, `${PASSWORD}\n`, { mode: 0o600 });
  const done = run(...args, "--key-file", right);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.ok(!done.stdout.includes(PASSWORD) && !/recovery key/.test(done.stdout));
  assert.ok(readFileSync(config, "utf8").includes(right));
});

test("--json tells what was made, and no key", () => {
  const { repository, run, key } = place("json");
  const { exitCode, stdout, stderr } = run(
    "setup",
    "--yes",
    "--path",
    source,
    "--repo",
    repository,
    "--json",
  );
  assert.equal(exitCode, 0, stderr);
  const [message] = jsonLines(stdout);
  assert.equal(message?.["key_file"], key);
  assert.ok(!KEY.test(stdout + stderr) && !stdout.includes(readFileSync(key, "utf8").trim()));
});

test("a repository below what it protects is left out of it", () => {
  const { config, run, env } = place("inside");
  mkdirSync(scratch.at("inside/data"));
  writeFileSync(scratch.at("inside/data/file"), "content");
  const repository = scratch.at("inside/data/backup");
  const setup = run("setup", "--yes", "--path", scratch.at("inside/data"), "--repo", repository);
  assert.equal(setup.exitCode, 0, setup.stderr);
  assert.match(readFileSync(config, "utf8"), /exclude: \[.*inside\/data\/backup\]/);
  withState(config, scratch.at("inside/state"));
  for (let i = 0; i < 2; i++) assert.equal(runComeback(["run", "-q"], { env }).exitCode, 0);
  const password = readFileSync(scratch.at("inside/repository.key"), "utf8").trim();
  const files = runComeback(
    ["-r", repository, "ls", "latest", "--path", scratch.at("inside/data")],
    {
      env: { ...env, COMEBACK_PASSWORD: password },
    },
  );
  assert.match(files.stdout, /data\/file/);
  assert.ok(!files.stdout.includes("data/backup"), files.stdout);
});

test("what cannot be set up is told before anything is written", () => {
  const { run } = place("bad");
  const repository = scratch.at("bad/repository");
  const refused: [string[], RegExp][] = [
    [["--repo", repository], /there is nothing to protect/],
    [["--path", source], /it is not said where to/],
    [["--path", scratch.at("nowhere"), "--repo", repository], /nothing is at .*nowhere/],
    [["--path", source, "--repo", repository, "--plan", "my plan"], /my plan is no name/],
    [["--path", source, "--repo", repository, "--at", "noon"], /noon is no time of day/],
    [["--path", source, "--repo", source], /is the repository, and to be\s+protected/],
  ];
  for (const [args, message] of refused) {
    const { exitCode, stderr } = run("setup", "--yes", ...args);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, message);
  }
  const nobody = run("setup", "--path", source, "--repo", repository);
  assert.match(nobody.stderr, /there is nobody to ask/);
  assert.deepEqual(readdirSync(scratch.at("bad")), []);
});

/** The wizard in a terminal of its own: each answer is typed once its question is there. */
async function inTerminal(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  answers: readonly (readonly [string, string])[],
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const line = [COMEBACK, ...args].map((word) => `'${word}'`).join(" ");
  // Without a size, it would be a terminal of no columns.
  const sized = `stty cols 80 rows 24; exec ${line}`;
  const child = spawn("script", ["-qec", sized, "/dev/null"], {
    env: { ...cleanEnvironment(env), TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const left = [...answers];
  let text = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    // Several may come at once.
    for (let [next] = left; next !== undefined; [next] = left) {
      const [question, answer] = next;
      const at = text.indexOf(question, seen);
      if (at < 0) return;
      seen = at + question.length;
      left.shift();
      child.stdin.write(answer);
    }
  });
  // What is never asked would be waited for without an end.
  const tooLong = setTimeout(() => child.kill(), 60_000);
  const exitCode = await new Promise<number>((resolve) => {
    child.once("close", (code) => resolve(code ?? 1));
  });
  clearTimeout(tooLong);
  assert.deepEqual(left, [], text);
  return { text, exitCode };
}

test("the wizard asks in a terminal, shows what it will do, and writes it", async () => {
  const { config, repository, env, key } = place("asked");
  const { text, exitCode } = await inTerminal(["setup", "--path", source], env, [
    ["Where to?", `${repository}\r`],
    ["When, every day?", "\r"],
    ["Write this?", "\r"],
  ]);
  assert.equal(exitCode, 0, text);
  assert.match(text, /are free there/);
  assert.equal(text.match(KEY)?.length, 1, text);
  assert.ok(existsSync(config) && existsSync(repository) && existsSync(key));
  assert.match(readFileSync(config, "utf8"), /daily 02:00/);
});

test("the wizard shows what is on the machine; who says no has written nothing", async () => {
  const { config, repository, env } = place("refused");
  const { text, exitCode } = await inTerminal(["setup", "--repo", repository], env, [
    ["What is to be protected?", "\r"],
    ["Any other folders?", `${source}x\r`],
    ["nothing is at", ""],
    ["Any other folders?", ` ${source}, ${scratch.path}\r`],
    ["When, every day?", "\r"],
    ["Write this?", "n"],
  ]);
  assert.equal(exitCode, 0, text);
  assert.match(text, /this machine's configuration/);
  const shown = text.slice(text.indexOf("Protected will be:"));
  for (const path of [source, scratch.path]) assert.ok(shown.includes(`  - ${path}\r`), text);
  assert.ok(!existsSync(config) && !existsSync(repository));
  const stopped = await inTerminal(["setup", "--repo", repository], env, [
    ["What is to be protected?", "\u0003"],
  ]);
  assert.equal(stopped.exitCode, 130, stopped.text);
});
