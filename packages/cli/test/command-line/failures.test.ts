import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository, RepositoryLock } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, PASSWORD, runComeback, runShell, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
mkdirSync(source);
writeFileSync(`${source}/file`, "content\n");
await makeQuickRepository(repository);
assert.equal(runComeback(["-r", repository, "-q", "backup", source]).exitCode, 0);

/** Three short lines, with the code, and neither a stack nor the password. */
function assertClearError(stderr: string, code: string): void {
  assert.match(stderr, /^error: /m);
  assert.ok(stderr.includes(`[${code}]`), stderr);
  assert.doesNotMatch(stderr, /^ +at /m);
  assert.ok(!stderr.includes(PASSWORD));
}

const repo = ["-r", repository];
const CASES: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    name: "no repository at the place",
    args: ["-r", scratch.at("nothing"), "snapshots"],
    exitCode: 10,
    code: "repository.none",
    says: /there is no repository at .*nothing/,
  },
  {
    name: "no repository given",
    args: ["snapshots"],
    exitCode: 1,
    code: "option.invalid",
    says: /use -r PATH/,
  },
  {
    name: "a kind of storage that is not there yet",
    args: ["-r", "swift:container:/x", "snapshots"],
    exitCode: 1,
    code: "option.invalid",
    says: /swift are not supported yet[^]*a folder/,
  },
  {
    name: "a repository where one is to be made",
    args: [...repo, "init"],
    exitCode: 1,
    code: "repository.exists",
    says: /there is already a repository/,
  },
  {
    name: "an unknown command",
    args: ["snpshots"],
    exitCode: 1,
    code: "option.invalid",
    says: /did you mean snapshots\?/,
  },
  {
    name: "an unknown option",
    args: [...repo, "backup", "--exclud", "x", source],
    exitCode: 1,
    code: "option.invalid",
    says: /did you mean --exclude\?/,
  },
  {
    name: "an option that makes no sense",
    args: [...repo, "check", "--read-data-subset", "5/3"],
    exitCode: 1,
    code: "option.invalid",
    says: /1\/5, 2\.5% or 500M/,
  },
  {
    name: "options that contradict each other",
    args: [...repo, "check", "--read-data", "--read-data-subset", "1/2"],
    exitCode: 1,
    code: "option.invalid",
    says: /contradict each other/,
  },
  {
    name: "nothing to back up",
    args: [...repo, "backup"],
    exitCode: 1,
    code: "backup.no-source",
    says: /nothing to back up was named/,
  },
  {
    name: "nothing that exists to back up",
    args: [...repo, "backup", scratch.at("nope")],
    exitCode: 1,
    code: "backup.no-source",
    says: /none of the files and folders exists/,
  },
  {
    name: "no such snapshot",
    args: [...repo, "ls", "ffffffff"],
    exitCode: 1,
    code: "snapshot.not-found",
    says: /there is no snapshot ffffffff/,
  },
  {
    name: "no such folder in the snapshot",
    args: [...repo, "ls", "latest", "/nowhere"],
    exitCode: 1,
    code: "snapshot.path-not-found",
    says: /\/nowhere is not in the snapshot/,
  },
  {
    name: "a restore to nowhere",
    args: [...repo, "restore", "latest"],
    exitCode: 1,
    code: "option.invalid",
    says: /--target/,
  },
  {
    name: "a target that is a file",
    args: [...repo, "restore", "latest", "--target", `${source}/file`],
    exitCode: 1,
    code: "restore.target",
    says: /file/,
  },
  {
    name: "an object of an unknown kind",
    args: [...repo, "cat", "everything"],
    exitCode: 1,
    code: "option.invalid",
    says: /config, index, snapshot/,
  },
];

for (const { name, args, exitCode, code, says } of CASES) {
  test(`${name}: exit code ${exitCode}, ${code}`, () => {
    const outcome = runComeback(args);
    assert.equal(outcome.exitCode, exitCode, outcome.stderr);
    assert.doesNotMatch(outcome.stdout, /saved|restored/);
    assertClearError(outcome.stderr, code);
    assert.match(outcome.stderr.replaceAll(/\s+/g, " "), says);
    assert.deepEqual(readdirSync(`${repository}/locks`), []);
  });
}

test("a wrong password: exit code 12, from wherever it came", () => {
  for (const env of [{ COMEBACK_PASSWORD: "wrong" }, { COMEBACK_PASSWORD_COMMAND: "echo wrong" }]) {
    const { exitCode, stderr } = runComeback([...repo, "snapshots"], { env });
    assert.equal(exitCode, 12);
    assertClearError(stderr, "key.wrong-password");
  }
});

test("a lock of another process: exit code 11, and nothing is touched", async () => {
  const backend = await localBackendFactory.open(repository);
  const common = { clock: systemClock, random: systemRandom };
  await using opened = await Repository.open({ backend, password: PASSWORD, ...common });
  await using _lock = await RepositoryLock.acquire(opened, { exclusive: true, ...common });
  const { exitCode, stderr } = runComeback([...repo, "backup", source]);
  assert.equal(exitCode, 11);
  assertClearError(stderr, "repository.locked");
  assert.ok(stderr.includes(`process ${process.pid}`));
  assert.equal(readdirSync(`${repository}/locks`).length, 1);
  const free = runComeback([...repo, "snapshots", "--no-lock", "-q"]);
  assert.equal(free.exitCode, 0, free.stderr);
});

test("output that cannot be written is no success", () => {
  const script = 'exec "$0" -r "$1" snapshots >/dev/full';
  const { exitCode, stderr } = runShell(script, repository);
  assert.equal(exitCode, 1);
  assertClearError(stderr, "platform.system-call");
});

test("a path that is missing among others: exit code 3, the rest is saved", () => {
  const { exitCode, stdout, stderr } = runComeback([...repo, "backup", source, "/does/not/exist"]);
  assert.equal(exitCode, 3);
  assert.match(stdout, /snapshot [0-9a-f]{8} saved, but not complete/);
  assert.match(stderr, /1 entry was not read completely[^]*\/does\/not\/exist: /);
});

test("a damaged pack: check fails and names the file, a restore brings everything else back", () => {
  const damaged = scratch.at("damaged");
  cpSync(repository, damaged, { recursive: true });
  mkdirSync(scratch.at("two"));
  writeFileSync(scratch.at("two/whole"), "another content\n");
  const backup = runComeback(["-r", damaged, "-q", "backup", scratch.at("two")]);
  assert.equal(backup.exitCode, 0, backup.stderr);
  const pack = packWithBlobOf(damaged, "content\n".length);
  chmodSync(`${damaged}/data/${pack.slice(0, 2)}/${pack}`, 0o600);
  writeFileSync(`${damaged}/data/${pack.slice(0, 2)}/${pack}`, "gone");
  const check = runComeback(["-r", damaged, "check", "--read-data"]);
  assert.equal(check.exitCode, 1, check.stdout);
  assertClearError(check.stderr, "check.failed");
  assert.ok(check.stderr.includes(`${source}/file`), check.stderr);
  const target = scratch.at("rescued");
  const restore = runComeback(["-r", damaged, "restore", "latest", "--target", target]);
  assert.equal(restore.exitCode, 0, restore.stderr);
  const lost = runComeback(["-r", damaged, "restore", "latest", "--path", source, "-t", target]);
  assert.equal(lost.exitCode, 1);
  assert.ok(lost.stderr.includes("file: "), lost.stderr);
  const again = ["-r", damaged, "--json", "restore", "latest", "--path", source, "-t", target];
  const [error, exitError] = jsonLines(runComeback(again).stderr);
  assert.equal(error?.["during"], "restore");
  assert.equal(error?.["item"], `${source}/file`);
  assert.equal(exitError?.["message_type"], "exit_error");
});

/** The pack that holds the one data blob of this length. */
function packWithBlobOf(place: string, lengthBytes: number): string {
  for (const index of readdirSync(`${place}/index`)) {
    const { stdout } = runComeback(["-r", place, "cat", "index", index]);
    const { packs } = JSON.parse(stdout) as {
      packs: { id: string; blobs: { type: string; uncompressed_length?: number }[] }[];
    };
    const found = packs.find(({ blobs }) =>
      blobs.some((blob) => blob.type === "data" && blob.uncompressed_length === lengthBytes),
    );
    if (found !== undefined) return found.id;
  }
  throw new Error("no pack holds such a blob");
}
