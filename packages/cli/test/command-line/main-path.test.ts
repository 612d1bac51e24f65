import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { after, test } from "node:test";
import { runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");

function run(...args: string[]): string {
  const { exitCode, stdout, stderr } = runComeback(["-r", repository, ...args], { cwd: source });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

mkdirSync(`${source}/folder`, { recursive: true });
writeFileSync(`${source}/folder/text`, "hello\n");
writeFileSync(`${source}/big`, Buffer.alloc(3_000_000, "0123456789"));
linkSync(`${source}/big`, `${source}/hard link`);
symlinkSync("folder/text", `${source}/link`);
writeFileSync(Buffer.from(`${source}/odd \xff\n\x1b[31m`, "latin1"), "odd\n");
chmodSync(`${source}/folder/text`, 0o640);
utimesSync(`${source}/folder/text`, 1_000_000_000, 1_000_000_000);

test("from nothing to a restore that is the same", () => {
  assert.match(run("init"), /^created repository [0-9a-f]{10} at .*repository\n/);
  const first = run("backup", source, "--tag", "a,b");
  assert.match(first, /every file is read/);
  assert.match(first, /snapshot [0-9a-f]{8} saved: 4 files, 5\.72 MiB in /);
  assert.match(first, /files {14}4 {11}0 {11}0/);
  writeFileSync(`${source}/new`, "new\n");
  const second = run("backup", source);
  assert.match(second, /comparing with snapshot [0-9a-f]{8}/);
  assert.match(second, /files {14}1 {11}0 {11}4/);

  assert.match(run("snapshots"), /a,b .*source {2}5\.72 MiB\n[^]*\n2 snapshots\n$/);
  assert.match(run("snapshots", "--compact", "--latest", "1"), /\n1 snapshot\n$/);
  assert.match(run("snapshots", "--tag", "a"), /\n1 snapshot\n$/);
  assert.equal(run("snapshots", "--host", "elsewhere"), "no snapshots\n");

  const target = scratch.at("target");
  run("restore", `latest:${source}`, "--target", target, "--verify");
  assert.equal(readFileSync(`${target}/folder/text`, "utf8"), "hello\n");
  assert.equal(statSync(`${target}/folder/text`).mode & 0o777, 0o640);
  assert.equal(statSync(`${target}/folder/text`).mtimeMs, 1_000_000_000_000);
  assert.equal(readlinkSync(`${target}/link`), "folder/text");
  assert.equal(statSync(`${target}/big`).ino, statSync(`${target}/hard link`).ino);
  assert.deepEqual(
    readdirSync(target, { encoding: "buffer" }).toSorted(Buffer.compare),
    readdirSync(source, { encoding: "buffer" }).toSorted(Buffer.compare),
  );

  const check = run("check", "--read-data");
  assert.match(check, /2 snapshots, /);
  assert.match(check, /no errors were found/);
  assert.match(run("stats"), /files +\d+\n/);
  assert.match(run("cat", "config"), /"version": 2/);
  assert.deepEqual(readdirSync(`${repository}/locks`), []);
});

test("a listing gives names as they are to a pipe, and folders only on request", () => {
  const all = run("ls", "latest", "-q").split("\n");
  assert.ok(all.includes(`${source}/folder/text`));
  const some = run("ls", `latest:${source}`, "/folder", "-q");
  assert.equal(some, "/folder\n/folder/text\n");
  const long = run("ls", `latest:${source}`, "-l", "-q");
  assert.match(long, /^-rw-r----- +\d+ +\d+ +6 2001-09-09 01:46:40 \/folder\/text$/m);
  assert.match(long, /^Lrwxrwxrwx .* \/link -> folder\/text$/m);
  const bySize = run("ls", `latest:${source}`, "-q", "--sort", "size", "--reverse").split("\n");
  assert.deepEqual(new Set(bySize.slice(0, 2)), new Set(["/big", "/hard link"]));
});

test("patterns choose what is saved, and what is restored", () => {
  run("backup", source, "--exclude", "folder", "--exclude-larger-than", "1M", "--tag", "less");
  const names = run("ls", `latest:${source}`, "-q").split("\n");
  assert.ok(names.includes("/link") && !names.includes("/folder") && !names.includes("/big"));
  const only = scratch.at("only");
  const chosen = ["--include", "folder", "--path", source, "--host", ""];
  const [, whole = ""] = run("snapshots", "--json").match(/"id":"([0-9a-f]{64})"/) ?? [];
  run("restore", `${whole}:${source}`, "--target", only, ...chosen);
  assert.deepEqual(readdirSync(only), ["folder"]);
  const but = scratch.at("but");
  run("restore", `${whole}:${source}`, "--target", but, "--iexclude", "FOLDER");
  assert.equal(lstatSync(`${but}/folder`, { throwIfNoEntry: false }), undefined);
});

test("a dry run changes nothing", () => {
  const before = run("snapshots");
  const target = scratch.at("not made");
  assert.match(run("backup", source, "--dry-run"), /dry run, nothing was written/);
  assert.match(run("restore", "latest", "--target", target, "--dry-run"), /would restore/);
  assert.equal(lstatSync(target, { throwIfNoEntry: false }), undefined);
  assert.equal(run("snapshots"), before);
});

test("nothing changed, no snapshot wanted", () => {
  // A relative path leaves out the folders above, which others may change meanwhile.
  run("backup", ".");
  const before = run("snapshots");
  assert.match(run("backup", ".", "--skip-if-unchanged"), /no snapshot was made/);
  assert.equal(run("snapshots"), before);
});
