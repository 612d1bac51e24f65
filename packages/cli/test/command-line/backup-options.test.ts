import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository, RepositoryLock } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { makeQuickRepository } from "./quick-repository.ts";
import {
  jsonLines,
  PASSWORD,
  runComeback,
  runShell,
  ScratchFolder,
  startComeback,
} from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
mkdirSync(source);
writeFileSync(`${source}/a`, "a".repeat(10_000));
writeFileSync(`${source}/b`, "b\n");
utimesSync(`${source}/a`, 1_000_000_000, 1_100_000_000);
await makeQuickRepository(repository);

interface Summary {
  readonly files_new: number;
  readonly files_unmodified: number;
  readonly data_added_packed: number;
  readonly snapshot_id: string;
}

function backup(...args: string[]): Summary {
  const { exitCode, stdout, stderr } = runComeback(["-r", repository, "backup", "--json", ...args]);
  assert.equal(exitCode, 0, stderr);
  return jsonLines(stdout).at(-1) as unknown as Summary;
}

test("the parent is the latest of the same host and paths, unless something else is said", () => {
  const first = backup(source, "--time", "2020-01-01 10:00:00");
  assert.equal(first.files_new, 2);
  assert.equal(backup(source).files_unmodified, 2);
  const cases: readonly (readonly [readonly string[], number])[] = [
    [["--host", "elsewhere"], 0],
    [["--host", "elsewhere", "--group-by", ""], 2],
    [["--force"], 0],
    [["--host", "far", "--parent", first.snapshot_id.slice(0, 10)], 2],
    [["--time", "2019-01-01 10:00:00"], 0],
    [["--tag", "new", "--group-by", "host,paths,tags"], 0],
  ];
  for (const [args, unmodified] of cases) {
    assert.equal(backup(source, ...args).files_unmodified, unmodified, args.join(" "));
  }
  const missing = runComeback(["-r", repository, "backup", source, "--parent", "ffffffff"]);
  assert.equal(missing.exitCode, 1);
  assert.match(missing.stderr, /\[snapshot\.not-found\]/);
});

test("what to save may come from files", () => {
  const list = scratch.at("list");
  writeFileSync(list, `# a comment\n${source}/a*\n`);
  assert.equal(backup("--files-from", list).files_new, 1);
  writeFileSync(list, `${source}/a\n${source}/b\n`);
  assert.equal(backup("--files-from-verbatim", list, "--force").files_new, 2);
  writeFileSync(list, `${source}/b\0`);
  assert.equal(backup("--files-from-raw", list, "--force").files_new, 1);
});

test("exclusions by file, in any case, by size and by mark", () => {
  const rules = scratch.at("rules");
  writeFileSync(rules, "# none of these\n*/A\n");
  assert.equal(backup(source, "--force", "--iexclude-file", rules).files_new, 1);
  assert.equal(backup(source, "--force", "--exclude-larger-than", "5k").files_new, 1);
  assert.equal(backup(source, "--force", "--exclude-if-present", "b").files_new, 1);
});

test("access times are saved on request", () => {
  backup(source, "--force", "--with-atime", "--tag", "atime");
  const args = ["-r", repository, "ls", `latest:${source}`, "--tag", "atime", "--json"];
  const nodes = jsonLines(runComeback(args).stdout);
  const node = nodes.find(({ name }) => name === "a");
  assert.match(String(node?.["atime"]), /^2001-09-09T01:46:40/);
  assert.match(String(node?.["mtime"]), /^2004-11-09T11:33:20/);
});

test("compression is as asked for, by flag or by restic's variable", async () => {
  const stored = async (name: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> => {
    const place = scratch.at(name);
    await makeQuickRepository(place);
    const outcome = runComeback(["-r", place, "backup", source, "--json", ...args], { env });
    return (jsonLines(outcome.stdout).at(-1) as unknown as Summary).data_added_packed;
  };
  const auto = await stored("auto", [], {});
  const off = await stored("off", ["--compression", "off"], {});
  assert.ok(off > auto + 9_000, `${off} ${auto}`);
  // Times in the trees differ by a few digits.
  assert.ok((await stored("twin", [], { RESTIC_COMPRESSION: "off" })) > auto + 9_000);
});

test("a lock of others is waited for, as long as was said", async () => {
  const backend = await localBackendFactory.open(repository);
  const common = { clock: systemClock, random: systemRandom };
  await using opened = await Repository.open({ backend, password: PASSWORD, ...common });
  const lock = await RepositoryLock.acquire(opened, { exclusive: true, ...common });
  const args = ["-r", repository, "backup", source, "--retry-lock", "1500ms"];
  const { child, ended } = startComeback(args);
  const stderrSoFar: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => stderrSoFar.push(chunk.toString("utf8")));
  while (!stderrSoFar.join("").includes("waiting for it")) await delay(20);
  await lock[Symbol.asyncDispose]();
  const { exitCode, stderr } = await ended;
  assert.equal(exitCode, 0, stderr);
});

test("a name that is not UTF-8 can be given on the command line", () => {
  const name = Buffer.from(`${source}/caf\xe9`, "latin1");
  writeFileSync(name, "latin1\n");
  // Only a shell can pass such a name: Node's child processes take text.
  const script = `exec "$0" -r "$1" backup -q "$2/$(printf 'caf\\351')"`;
  const saved = runShell(script, repository, source);
  assert.equal(saved.exitCode, 0, saved.stderr);
  const target = scratch.at("target");
  runComeback(["-r", repository, "restore", "latest", "-t", target]);
  const restored = Buffer.concat([Buffer.from(target), name]);
  assert.equal(readFileSync(restored, "utf8"), "latin1\n");
});
