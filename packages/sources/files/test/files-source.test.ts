import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError, LISTING_AT_ONCE_MAX_ENTRIES, type SourceProblem } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  groupName,
  mkdirAt,
  mknodAt,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  openAt,
  openPath,
  setXattr,
  statAt,
  userName,
  writeFrom,
} from "@comeback/platform";
import { randomTree } from "@comeback/testkit";
import { createFilesSource } from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { below, openSource, walk } from "./walk.ts";

test("every kind of entry comes with what the kernel says of it", async (t) => {
  const folder = scratchFolder(t, ["file", "dir/"]);
  symlinkSync("over/there\u00e4", join(folder, "link"));
  mknodAt(AT_FDCWD, `${folder}/fifo`, 0o010640, 0);
  const server = createServer().listen(join(folder, "socket"));
  await once(server, "listening");
  setXattr(`${folder}/file`, "user.b", Buffer.of(1, 0, 255));
  setXattr(`${folder}/file`, "user.a", Buffer.of());
  // Taken before: reading a link changes its access time.
  const names = ["dir", "fifo", "file", "link"];
  const statuses = new Map(names.map((name) => [name, statAt(AT_FDCWD, `${folder}/${name}`)]));
  const { entries, problems } = await walk(createFilesSource({ targets: [folder] }));
  server.close();
  assert.deepEqual(problems, []);
  assert.equal(entries.has(`${folder}/socket`), false, "sockets are left out");
  const types = { dir: "dir", fifo: "fifo", file: "file", link: "symlink" };
  for (const [name, type] of Object.entries(types)) {
    const { metadata, path, name: own, content } = entries.get(`${folder}/${name}`)!;
    const { blocks512: _, device: __, ...status } = statuses.get(name)!;
    const { linkTarget, extendedAttributes, type: kind, user, group, ...rest } = metadata;
    assert.deepEqual(rest, status, name);
    assert.deepEqual([path, own, kind], [`${folder}/${name}`, name, type]);
    assert.deepEqual([user, group], [userName(status.uid), groupName(status.gid)]);
    assert.equal(linkTarget, name === "link" ? "over/there\xc3\xa4" : undefined);
    assert.deepEqual(content, name === "file" ? { kind: "path", path } : undefined);
    const attributes = extendedAttributes?.map(({ name: key, value }) => [key, [...value]]);
    const expected = [
      ["user.a", []],
      ["user.b", [1, 0, 255]],
    ];
    assert.deepEqual(attributes?.sort(), name === "file" ? expected : undefined);
  }
});

test("random trees come out complete", async (t) => {
  for (const seed of [1, 2, 3]) {
    const folder = scratchFolder(t);
    const base = `${folder}/tree`;
    mkdirSync(base);
    randomTree(base, seed, { sockets: true });
    const { entries, problems } = await walk(createFilesSource({ targets: [base] }));
    assert.deepEqual(problems, []);
    // The system's own tool, as bytes.
    const found = execFileSync("find", [base, "-mindepth", "1", "-not", "-type", "s", "-print0"]);
    const expected = found.toString("latin1").split("\0").slice(0, -1).sort();
    const ours = [...entries.keys()].filter((path) => path.startsWith(`${base}/`));
    assert.deepEqual(ours.sort(), expected, `seed ${seed}`);
  }
});

test("a device carries its numbers", async () => {
  const { entries } = await walk(createFilesSource({ targets: ["/dev/null"] }));
  const { metadata } = entries.get("/dev/null")!;
  assert.equal(metadata.type, "chardev");
  assert.equal(metadata.device, statAt(AT_FDCWD, "/dev/null").device);
});

test("names are bytes, in the order of bytes", async (t) => {
  const folder = scratchFolder(t);
  const names = ["a", "B", "\xff\xfe", "\xc3\xa4", "\n", "~", "\x7f", "n".repeat(255), " "];
  for (const name of names) writeFileSync(Buffer.from(`${folder}/${name}`, "latin1"), "");
  await using session = await openSource(createFilesSource({ targets: [folder] }));
  let list = await session.root();
  while (list[0]?.metadata.type === "dir") list = await session.list(list[0]);
  assert.deepEqual(
    list.map(({ name }) => name),
    names.toSorted(),
  );
});

test("a folder of many entries is listed completely, with turns for others in between", async (t) => {
  const folder = scratchFolder(t, ["many/"]);
  const count = LISTING_AT_ONCE_MAX_ENTRIES * 2 + 1;
  const fd = openPath(`${folder}/many`, O_RDONLY | O_DIRECTORY);
  for (let i = 0; i < count; i++) close(openAt(fd, `f${i}`, O_CREAT | O_WRONLY, 0o600));
  close(fd);
  const walked = await walk(createFilesSource({ targets: [`${folder}/many`] }));
  assert.equal(below(walked, `${folder}/many`).length, count);
});

test("listing a large folder ends when the backup does", async (t) => {
  const folder = scratchFolder(t, ["many/"]);
  for (let i = 0; i <= LISTING_AT_ONCE_MAX_ENTRIES; i++) writeFileSync(`${folder}/many/f${i}`, "");
  const abort = new AbortController();
  const source = createFilesSource({ targets: [`${folder}/many`] });
  await using session = await source.open({ signal: abort.signal, onProblem() {} });
  let [entry] = await session.root();
  while (entry!.name !== "many") [entry] = await session.list(entry!);
  // A slice that takes no time at all would not look at the signal.
  const listed = session.list(entry!);
  abort.abort(new Error("stop"));
  const outcome = await Promise.resolve(listed).then(
    (entries) => entries.length,
    (error: Error) => error.message,
  );
  assert.ok(outcome === "stop" || outcome === LISTING_AT_ONCE_MAX_ENTRIES + 1, String(outcome));
});

test("paths beyond PATH_MAX", async (t) => {
  const folder = scratchFolder(t);
  const name = "d".repeat(250);
  let fd = openPath(folder, O_RDONLY | O_DIRECTORY);
  for (let depth = 0; depth < 40; depth++) {
    mkdirAt(fd, name, 0o700);
    const inner = openAt(fd, name, O_RDONLY | O_DIRECTORY);
    close(fd);
    fd = inner;
  }
  const file = openAt(fd, "file", O_CREAT | O_WRONLY, 0o600);
  writeFrom(file, Buffer.from("deep"), 0, 4, 0);
  setXattr(file, "user.deep", Buffer.from("x"));
  close(file);
  close(fd);
  const walked = await walk(createFilesSource({ targets: [folder] }));
  assert.deepEqual(walked.problems, []);
  const deepest = `${folder}/${`${name}/`.repeat(40)}file`;
  const { path, metadata, content } = walked.entries.get(deepest)!;
  assert.equal(path, deepest);
  assert.equal(metadata.sizeBytes, 4);
  assert.deepEqual(metadata.extendedAttributes, [{ name: "user.deep", value: Buffer.from("x") }]);
  assert.deepEqual(content, { kind: "path", path: deepest });
  close(openPath(deepest, O_RDONLY));
});

test("what vanishes or is exchanged under the walk is reported; nothing is followed", async (t) => {
  const folder = scratchFolder(t, ["data/gone/x", "data/swapped/x", "data/stays/x", "secret/key"]);
  const problems: SourceProblem[] = [];
  await using session = await openSource(
    createFilesSource({ targets: [`${folder}/data`] }),
    problems,
  );
  let list = await session.root();
  while (list[0]!.name !== "gone") list = await session.list(list[0]!);
  rmSync(join(folder, "data/gone"), { recursive: true });
  rmSync(join(folder, "data/swapped"), { recursive: true });
  symlinkSync("../secret", join(folder, "data/swapped"));
  const found: string[] = [];
  for (const entry of list) {
    for (const { path } of await session.list(entry)) found.push(path);
  }
  assert.deepEqual(found, [`${folder}/data/stays/x`]);
  assert.deepEqual(
    problems.map(({ path, during }) => [path, during]),
    [
      [`${folder}/data/gone`, "list"],
      [`${folder}/data/swapped`, "list"],
    ],
  );
});

test("a folder above that becomes a symlink does not lead the walk astray", async (t) => {
  const folder = scratchFolder(t, ["data/a/b/x", "secret/b/key"]);
  const problems: SourceProblem[] = [];
  await using session = await openSource(
    createFilesSource({ targets: [`${folder}/data`] }),
    problems,
  );
  let list = await session.root();
  while (list[0]!.name !== "b") list = await session.list(list[0]!);
  renameSync(join(folder, "data/a"), join(folder, "data/was-a"));
  symlinkSync("../secret", join(folder, "data/a"));
  assert.deepEqual(await session.list(list[0]!), []);
  assert.equal(problems.length, 1);
});

test("missing targets are reported while others exist", async (t) => {
  const folder = scratchFolder(t, ["there", "file"]);
  const list = join(folder, "list");
  writeFileSync(list, `${folder}/no*match\n${folder}/the*\n`);
  const source = createFilesSource({
    targets: [`${folder}/none`, `${folder}/file/below`],
    filesFrom: [list],
  });
  assert.deepEqual(source.paths, [`${folder}/there`]);
  const { problems } = await walk(source);
  assert.deepEqual(problems, [
    { path: `${folder}/none`, during: "stat", message: "does not exist" },
    { path: `${folder}/file/below`, during: "stat", message: "does not exist" },
    { path: `${folder}/no*match`, during: "stat", message: "matches no file" },
  ]);
});

test("nothing to back up is an error, in each of its ways", async (t) => {
  const folder = scratchFolder(t, ["a"]);
  const none = (error: unknown): boolean => isComebackError(error, "backup.no-source");
  assert.throws(() => createFilesSource({}), none);
  assert.throws(() => createFilesSource({ targets: [`${folder}/x`, ""] }), none);
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
  });
  await assert.rejects(walk(createFilesSource({ targets: ["a"], exclude: ["a"] })), none);
  const vanishing = createFilesSource({ targets: [`${folder}/a`] });
  rmSync(join(folder, "a"));
  const walked = await walk(vanishing);
  assert.deepEqual(
    walked.problems.map(({ path, during }) => [path, during]),
    [[`${folder}/a`, "stat"]],
  );
});

test("lists and pattern files that cannot be read or make no sense", (t) => {
  const folder = scratchFolder(t, ["a"]);
  const invalid = (error: unknown): boolean => isComebackError(error, "option.invalid");
  const missing = [`${folder}/missing`];
  const targets = [folder];
  const bad = join(folder, "bad");
  writeFileSync(bad, "a\0\0");
  for (const options of [
    { filesFrom: missing },
    { filesFromVerbatim: missing },
    { filesFromRaw: missing },
    { filesFromRaw: [`${folder}/a`] },
    { filesFromRaw: [bad] },
    { targets, excludeFiles: missing },
    { targets, iexcludeFiles: missing },
    { targets, exclude: ["["] },
    { targets, iexclude: ["[]"] },
    { targets, excludeIfPresent: [""] },
    { targets, excludeIfPresent: [":x"] },
  ]) {
    assert.throws(() => createFilesSource(options), invalid, JSON.stringify(options));
  }
});

test("rules leave out what they name, and keep tag files", async (t) => {
  const folder = scratchFolder(t, [
    "keep/x",
    "keep/x.o",
    "cache/CACHEDIR.TAG",
    "cache/data",
    "own/repository/data",
    "tagged/.skip",
    "tagged/sub/x",
    "wrong/CACHEDIR.TAG",
    "wrong/data",
  ]);
  writeFileSync(
    join(folder, "cache/CACHEDIR.TAG"),
    "Signature: 8a477f597d28d172789f06886806bc55\n# comment",
  );
  const source = createFilesSource({
    targets: [folder],
    exclude: ["*.o"],
    excludeCaches: true,
    excludeIfPresent: [".skip"],
    excludedFolders: [`${folder}/own/repository`],
  });
  assert.deepEqual(source.excludes, ["*.o"]);
  const walked = await walk(source);
  assert.deepEqual(below(walked, folder).sort(), [
    "cache",
    "cache/CACHEDIR.TAG",
    "keep",
    "keep/x",
    "own",
    "tagged",
    "tagged/.skip",
    "wrong",
    "wrong/CACHEDIR.TAG",
    "wrong/data",
  ]);
  assert.deepEqual(walked.problems, [
    {
      path: `${folder}/wrong/CACHEDIR.TAG`,
      during: "exclude",
      message: "the file is too short, so nothing is excluded by it",
    },
  ]);
});

test("a tag that is a fifo or a folder neither hangs the walk nor excludes anything", async (t) => {
  const folder = scratchFolder(t, ["a/x", "b/x", "b/tag/"]);
  mknodAt(AT_FDCWD, `${folder}/a/tag`, 0o010600, 0);
  const walked = await walk(
    createFilesSource({ targets: [folder], excludeIfPresent: ["tag:header"] }),
  );
  assert.deepEqual(below(walked, folder).sort(), ["a", "a/tag", "a/x", "b", "b/tag", "b/x"]);
  assert.equal(walked.problems.length, 2);
});

test("many targets that are folders do not use up the descriptors", async (t) => {
  const folder = scratchFolder(t);
  const targets: string[] = [];
  for (let i = 0; i < 300; i++) {
    mkdirSync(join(folder, `d${i}`));
    writeFileSync(join(folder, `d${i}/x`), "");
    targets.push(`${folder}/d${i}`);
  }
  const open = (): number => {
    const fd = openPath("/proc/self/fd", O_RDONLY | O_DIRECTORY);
    close(fd);
    return fd;
  };
  const before = open();
  await using session = await openSource(createFilesSource({ targets }));
  let list = await session.root();
  while (list.length === 1) list = await session.list(list[0]!);
  assert.equal(list.length, 300);
  // In any order, each once.
  for (const entry of list.toReversed()) assert.equal((await session.list(entry)).length, 1);
  assert.ok(open() <= before + 1, "one descriptor at most is kept");
  await session[Symbol.asyncDispose]();
  assert.equal(open(), before);
});
