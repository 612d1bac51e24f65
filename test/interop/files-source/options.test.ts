import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { byteStringFromText } from "@comeback/core";
import { AT_FDCWD, chmodAt, setXattr } from "@comeback/platform";
import type { FilesSourceOptions } from "@comeback/source-files";
import { commandSource, stdinSource } from "@comeback/source-streams";
import { randomTree } from "@comeback/testkit";
import { MemoryDisk } from "../../drivers/mounts.ts";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";
import { ResticBackup } from "./restic-backup.ts";
import { SameBackup } from "./same-backup.ts";
import { treeOfSource } from "./tree-of-source.ts";

const base = scratchFolder("source-options");
const compare = await SameBackup.create(join(base, "repository"));

/** A folder with these files; a name that ends with a slash is a folder. */
function plant(name: string, paths: readonly string[]): string {
  const folder = makeFolder(base, name, "data");
  for (const path of paths) {
    const full = join(folder, path);
    if (path.endsWith("/")) mkdirSync(full, { recursive: true });
    else {
      makeFolder(full, "..");
      writeFileSync(full, `content of ${path}`);
    }
  }
  return folder;
}

async function expectPaths(
  cwd: string,
  options: FilesSourceOptions,
  expected: readonly string[],
): Promise<void> {
  const paths = await compare.backUp(cwd, options, JSON.stringify(options));
  // What lies above a target is there as well.
  const isAbove = (path: string): boolean =>
    [base, cwd].some((folder) => `${folder}/`.startsWith(`${path}/`));
  const below = paths.filter((path) => !isAbove(path));
  assert.deepEqual(
    below.map((path) => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length) : path)).sort(),
    [...expected].sort(),
    JSON.stringify(options),
  );
}

test("where targets lie in a snapshot", async () => {
  const cwd = plant("places", ["a/x", "a/b/y", "c/z", "d"]);
  symlinkSync("a", join(cwd, "link"));
  symlinkSync("nowhere", join(cwd, "dangling"));
  // Seen on the way to link/b: the folder's attributes, but the link's extended ones.
  setXattr(join(cwd, "a"), "user.of-folder", Buffer.from("f"));
  if (process.getuid?.() === 0) setXattr(join(cwd, "link"), "trusted.of-link", Buffer.from("l"));
  const all = ["/a", "/a/b", "/a/b/y", "/a/x", "/c", "/c/z", "/d", "/dangling", "/link"];
  await expectPaths(cwd, { targets: [cwd] }, all);
  await expectPaths(cwd, { targets: ["."] }, all);
  await expectPaths(cwd, { targets: ["./a/", "a", "a//b/../x"] }, ["/a", "/a/b", "/a/b/y", "/a/x"]);
  await expectPaths(cwd, { targets: ["a/b", "c"] }, ["/a", "/a/b", "/a/b/y", "/c", "/c/z"]);
  await expectPaths(cwd, { targets: ["link", "dangling"] }, ["/dangling", "/link"]);
  await expectPaths(cwd, { targets: ["link/b"] }, ["/link", "/link/b", "/link/b/y"]);
  await expectPaths(cwd, { targets: [`${cwd}/a/b`, `${cwd}/d`] }, ["/a", "/a/b", "/a/b/y", "/d"]);
  await expectPaths(join(cwd, "a"), { targets: ["../c", "../../data/d", "c"] }, [
    "/c",
    "/c/z",
    "/data",
    "/data/d",
  ]);
  await expectPaths(join(cwd, "a"), { targets: ["x", "../a/x", "../../data/a/x"] }, [
    "/a",
    "/a/x",
    "/data",
    "/data/a",
    "/data/a/x",
    "/x",
  ]);
  await expectPaths(join(cwd, "a"), { targets: ["b", "../a/b", "../../data/a/b"] }, [
    "/a",
    "/a/b",
    "/a/b/y",
    "/b",
    "/b/y",
    "/data",
    "/data/a",
    "/data/a/b",
    "/data/a/b/y",
  ]);
  // One name from two folders: the second gets a number.
  makeFolder(cwd, "a", "c");
  await expectPaths(join(cwd, "a"), { targets: ["../c", "c"] }, ["/c", "/c-1", "/c/z"]);
});

test("a working folder that is shown through a symlink", async () => {
  const folder = plant("shown", ["real/in/x", "y", "link-parent/y"]);
  symlinkSync("../real/in", join(folder, "link-parent/link"));
  const cwd = join(folder, "link-parent/link");
  await expectPaths(cwd, { targets: ["x"] }, ["/x"]);
  await expectPaths(cwd, { targets: ["."], exclude: [`${cwd}/x`] }, []);
  // The kernel's ".." leads to "real", the shown path's to "link-parent".
  assert.deepEqual(await compare.backUp(cwd, { targets: [".."] }, "up"), ["/in", "/in/x"]);
});

test("pattern files, with comments and variables", async () => {
  const cwd = plant("patterns", ["keep.c", "drop.o", "DROP.TMP", "sub/drop.o", "sub/mine.o", "$x"]);
  const file = join(base, "patterns.txt");
  writeFileSync(file, `# objects\n\n  *.o  \r\n!mine.o\n$DATA/sub/none\n$$x\n`);
  const caseless = join(base, "caseless.txt");
  writeFileSync(caseless, "\ufeff*.tmp\n");
  process.env["DATA"] = cwd;
  const options = { targets: [cwd], excludeFiles: [file], iexcludeFiles: [caseless] };
  await expectPaths(cwd, options, ["/keep.c", "/sub", "/sub/mine.o"]);
  // Several lists are independent: a "!" takes back only what its own list matched.
  await expectPaths(cwd, { targets: ["sub"], iexclude: ["*.O"], exclude: ["!mine.o"] }, ["/sub"]);
});

test("lists of targets", async () => {
  const cwd = plant("lists", ["a1/x", "a2/x", "b/x", "#c/x", " d/x", ".hidden/x", "e*/x"]);
  const globs = join(base, "globs.txt");
  writeFileSync(globs, `# comment\n a?/x \n${cwd}/[b]\n*h*\nnothing*\n\\#c\ne\\*/*\n./a1/../a1\n`);
  await expectPaths(cwd, { filesFrom: [globs] }, [
    "/#c",
    "/#c/x",
    "/.hidden",
    "/.hidden/x",
    "/a1",
    "/a1/x",
    "/a2",
    "/a2/x",
    "/b",
    "/b/x",
    "/e*",
    "/e*/x",
  ]);
  const verbatim = join(base, "verbatim.txt");
  writeFileSync(verbatim, `#c\n d\n\ne*\nmissing\n`);
  await expectPaths(cwd, { filesFromVerbatim: [verbatim] }, [
    "/ d",
    "/ d/x",
    "/#c",
    "/#c/x",
    "/e*",
    "/e*/x",
  ]);
  const raw = join(base, "raw.bin");
  writeFileSync(raw, `a1\0 d/x\0missing\0`);
  await expectPaths(cwd, { filesFromRaw: [raw], targets: ["b"] }, [
    "/ d",
    "/ d/x",
    "/a1",
    "/a1/x",
    "/b",
    "/b/x",
  ]);
  for (const content of [`a1\0b`, `a1\0\0`, "[\n"]) {
    writeFileSync(raw, content);
    await expectPaths(cwd, { filesFromRaw: [raw] }, []);
    writeFileSync(globs, "a1\n[\n");
    await expectPaths(cwd, { filesFrom: [globs] }, []);
  }
});

test("tag files, sizes, and targets that a rule leaves out", async () => {
  const cwd = plant("rules", ["t/.skip", "t/x", "t/sub/y", "u/.skip/", "u/x", "c/x", "n/x", "big"]);
  writeFileSync(join(cwd, "c/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\nmore");
  writeFileSync(join(cwd, "n/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f");
  const skip = ["/c", "/c/CACHEDIR.TAG", "/c/x", "/n", "/n/CACHEDIR.TAG", "/n/x"];
  await expectPaths(cwd, { targets: [cwd], excludeIfPresent: [".skip"] }, [
    ...skip,
    "/big",
    "/t",
    "/t/.skip",
    "/u",
    "/u/.skip",
  ]);
  await expectPaths(cwd, { targets: ["t/x", "t/.skip", "c"], excludeIfPresent: [".skip"] }, [
    "/c",
    "/c/CACHEDIR.TAG",
    "/c/x",
    "/t",
    "/t/.skip",
  ]);
  await expectPaths(cwd, { targets: ["c", "n", "u"], excludeCaches: true }, [
    "/c",
    "/c/CACHEDIR.TAG",
    "/n",
    "/n/CACHEDIR.TAG",
    "/n/x",
    "/u",
    "/u/.skip",
    "/u/x",
  ]);
  await expectPaths(cwd, { targets: ["n", "big"], excludeLargerThanBytes: 14 }, [
    "/big",
    "/n",
    "/n/x",
  ]);
  await expectPaths(cwd, { targets: ["big"], exclude: ["rules"] }, []);
});

test("one file system, with mounts in and around it", async () => {
  const cwd = plant("mounts", ["a/x", "a/y/z"]);
  const inner = new MemoryDisk(join(cwd, "a/mounted"), 1024 * 1024);
  mkdirSync(join(inner.folder, "sub"));
  writeFileSync(join(inner.folder, "sub/file"), "m");
  writeFileSync(join(inner.folder, "file"), "m");
  const most = ["/a", "/a/mounted", "/a/x", "/a/y", "/a/y/z"];
  await expectPaths(cwd, { targets: [cwd], oneFileSystem: true }, most);
  await expectPaths(cwd, { targets: ["."], oneFileSystem: true }, most);
  const whole = [...most, "/a/mounted/file", "/a/mounted/sub", "/a/mounted/sub/file"];
  await expectPaths(cwd, { targets: ["a", "a/mounted"], oneFileSystem: true }, whole);
  await expectPaths(cwd, { targets: ["a", "a/mounted/sub"], oneFileSystem: true }, [
    ...most,
    "/a/mounted/sub",
    "/a/mounted/sub/file",
  ]);
  await expectPaths(join(cwd, "a"), { targets: ["mounted/file"], oneFileSystem: true }, [
    "/mounted",
    "/mounted/file",
  ]);
});

test("every kind of entry and attribute, hostile names, sockets left out", async () => {
  const cwd = makeFolder(base, "hostile");
  randomTree(cwd, 7, { entries: 400, sockets: true });
  // Files of one chunk, as the comparison wants them.
  const options = { targets: ["."], excludeLargerThanBytes: 512 * 1024 };
  const paths = await compare.backUp(cwd, options, "random tree");
  assert.ok(paths.length > 300, `${paths.length} entries`);
  // A pattern of bytes that are no text.
  const bytes = join(base, "bytes.txt");
  writeFileSync(bytes, Buffer.from("bad\xff*\n", "latin1"));
  writeFileSync(Buffer.concat([Buffer.from(`${cwd}/`), Buffer.from("bad\xff1", "latin1")]), "");
  const some = await compare.backUp(cwd, { ...options, excludeFiles: [bytes] }, "bytes");
  assert.equal(some.length, paths.length);
  chmodAt(AT_FDCWD, byteStringFromText(cwd), 0o700);
});

test("standard input and the output of a command", async () => {
  const theirs = await ResticBackup.create(join(base, "stdin-repository"));
  const args = ["--time", "2026-01-02 03:04:05"];
  const time = { seconds: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000, nanoseconds: 0 };
  const fromStdin = theirs.backUp(["--stdin", ...args], { cwd: base, input: "some data" });
  const ours = stdinSource({
    time,
    async *open() {
      yield Buffer.from("some ");
      yield Buffer.from("data");
    },
  });
  assert.equal((await treeOfSource(ours)).id, fromStdin.snapshot?.tree);
  assert.deepEqual(ours.paths, fromStdin.snapshot?.paths);

  const command = ["sh", "-c", "printf 'dump of %s' $0", "db"];
  const name = ["--stdin-filename", "dump.sql", "--stdin-from-command"];
  const fromCommand = theirs.backUp([...args, ...name, "--", ...command], { cwd: base });
  const dump = commandSource({ command, time, filename: "dump.sql" });
  assert.equal((await treeOfSource(dump)).id, fromCommand.snapshot?.tree);
  assert.deepEqual(dump.paths, fromCommand.snapshot?.paths);

  const failing = ["sh", "-c", "echo half; exit 3"];
  const failed = theirs.backUp(["--stdin-from-command", "--", ...failing], { cwd: base });
  assert.deepEqual([failed.exitCode, failed.snapshot], [1, undefined]);
  await assert.rejects(treeOfSource(commandSource({ command: failing, time })), /sh failed/);
});
