import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  AT_FDCWD,
  close,
  linkAt,
  mkdirAt,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  openAt,
  setXattr,
  symlinkAt,
  utimensAt,
  writeFrom,
} from "@comeback/platform";
import { buildTree, directory, file, randomTree, treeOf } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type Finished, startProgram } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** What went in comes out: every name, byte and attribute, through the command line and back. */
const folder = scratchFolder("fidelity");

async function newPlace(name: string): Promise<{ place: string; ours: Client }> {
  const place = makeFolder(folder, name);
  const ours = new Client(COMEBACK, join(place, "repository"));
  await makeQuickRepository(ours.repository);
  return { place, ours };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`a random tree, seed ${seed}`, async () => {
    const { place, ours } = await newPlace(`seed-${seed}`);
    const source = join(place, "source");
    randomTree(source, seed, { entries: 100 * seed, largeFiles: seed % 3 === 0 });
    await ours.backup([source]);
    const target = join(place, "target");
    await ours.restore("latest", target, ["--sparse", "--verify"]);
    assertSameTree(source, join(target, source), { sparse: true });
    // Once more over what is there: nothing is left to do, and nothing gets worse.
    const again = await ours.done(["restore", "latest", "--target", target, "--json"]);
    assert.match(again.stdout.toString("utf8"), /"message_type":"summary"/);
    assertSameTree(source, join(target, source), { sparse: true });
  });
}

test("access times, where they are asked for", async () => {
  const { place, ours } = await newPlace("atime");
  const source = join(place, "source");
  const times = {
    mtime: { seconds: 1_500_000_000, nanoseconds: 1 },
    atime: { seconds: 1_600_000_000, nanoseconds: 999_999_999 },
  };
  // No link: to read where one leads is an access.
  buildTree(source, treeOf({ file: file("content", times), dir: directory({}, times) }));
  await ours.backup(["."], { cwd: source, args: ["--with-atime"] });
  const target = join(place, "target");
  await ours.restore("latest", target);
  assertSameTree(source, target, { atime: true, tops: false });
});

/** Folders within folders, every one with a file, until the path is so long. */
function makeDeep(top: string, name: string, levels: number): void {
  const fds = [openAt(AT_FDCWD, top, O_RDONLY | O_DIRECTORY)];
  for (let level = 0; level < levels; level++) {
    const parent = fds.at(-1) as number;
    mkdirAt(parent, name, 0o755);
    fds.push(openAt(parent, name, O_RDONLY | O_DIRECTORY));
  }
  for (const [level, fd] of fds.entries()) {
    const written = openAt(fd, "file", O_WRONLY | O_CREAT, 0o640);
    const text = Buffer.from(`at level ${level}\n`);
    writeFrom(written, text, 0, text.length, 0);
    close(written);
    symlinkAt("file", fd, "link");
    linkAt(fd, "file", fd, "hard link");
    setXattr({ dirFd: fd, name: "file" }, "user.level", Buffer.from(String(level)));
    const time = { seconds: 1_000_000_000 + level, nanoseconds: level };
    utimensAt(fd, "file", time, time);
  }
  for (const fd of fds) close(fd);
}

for (const [title, length, levels] of [
  ["close to PATH_MAX", 98, 40],
  ["beyond PATH_MAX", 250, 40],
  ["of very many short names", 1, 1000],
] as const) {
  test(`paths ${title}`, async () => {
    const { place, ours } = await newPlace(`deep-${length}`);
    const source = makeFolder(place, "source");
    makeDeep(source, "d".repeat(length), levels);
    await ours.backup(["."], { cwd: source });
    const target = join(place, "target");
    await ours.restore("latest", target, ["--verify"]);
    assertSameTree(source, target, { tops: false });
    await ours.check();
    const unchanged = await ours.backup(["."], { cwd: source });
    assert.equal(unchanged.files_unmodified, 2 * (levels + 1));
    assert.equal(unchanged.data_added, 0);
  });
}

test("thousands of entries in one folder, and thousands of folders", async () => {
  const { place, ours } = await newPlace("thousands");
  const source = makeFolder(place, "source");
  const many = makeFolder(source, "many");
  for (let i = 0; i < 6000; i++) writeFileSync(join(many, `file-${i}`), `${i % 500}`);
  for (let i = 0; i < 3000; i++) mkdirSync(join(source, `folder-${i}`));
  await ours.backup(["."], { cwd: source });
  const target = join(place, "target");
  await ours.restore("latest", target);
  assertSameTree(source, target, { tops: false });
});

test("an empty folder, and nothing but empty things", async () => {
  const { place, ours } = await newPlace("empty");
  const source = makeFolder(place, "source");
  const target = join(place, "target");
  const nothing = await ours.backup([source]);
  assert.equal(nothing.total_files_processed, 0);
  await ours.restore(`latest:${source}`, target);
  assert.deepEqual(readdirSync(target), []);
  // What is in it, and that is nothing: as restic, we make no empty snapshot.
  const refused = await ours.run(["backup", "."], { cwd: source });
  assertError(refused, { exitCode: 1, code: "backup.no-source" });
  mkdirSync(join(source, "folder"));
  writeFileSync(join(source, "file"), "");
  await ours.backup([source]);
  await ours.restore(`latest:${source}`, target);
  assertSameTree(source, target, { tops: false });
});

test("one file, absolute and relative, and one link", async () => {
  const { place, ours } = await newPlace("single");
  const source = makeFolder(place, "source");
  writeFileSync(join(source, "file"), "just me");
  symlinkSync("file", join(source, "link"));
  for (const [i, name] of ["file", "./file", "../source/file", "link"].entries()) {
    await ours.backup([name], { cwd: source });
    const target = join(place, `target-${i}`);
    await ours.restore("latest", target);
    // The way to it is stored as it was given, without the dots.
    const expected = name.startsWith("../") ? ["source"] : [name.replace("./", "")];
    assert.deepEqual(readdirSync(target), expected);
  }
  assert.equal(readFileSync(join(place, "target-2", "source", "file"), "utf8"), "just me");
  await ours.backup([join(source, "file")]);
  const target = join(place, "target-absolute");
  await ours.restore("latest", target);
  assert.equal(readFileSync(join(target, source, "file"), "utf8"), "just me");
});

test("several targets, with the same names, within each other, twice, with and without dots", async () => {
  const { place, ours } = await newPlace("targets");
  for (const part of ["a", "b"]) {
    const inner = makeFolder(place, part, "same", "inner");
    writeFileSync(join(inner, "file"), `in ${part}`);
    writeFileSync(join(place, part, "same", "beside"), part);
  }
  const restoreTo = async (name: string): Promise<string> => {
    const target = join(place, name);
    await ours.restore("latest", target);
    return target;
  };
  await ours.backup(["a/same", "b/same"], { cwd: place });
  const one = await restoreTo("one");
  for (const part of ["a", "b"]) assertSameTree(join(place, part), join(one, part));

  // At the top two would get the same name: a number tells them apart.
  await ours.backup(["same", "../b/same"], { cwd: join(place, "a") });
  const two = await restoreTo("two");
  assert.deepEqual(readdirSync(two).toSorted(), ["b", "same"]);

  await ours.backup(["a", "a/same/inner", "./a/", "a"], { cwd: place });
  assertSameTree(join(place, "a"), join(await restoreTo("three"), "a"));

  await ours.backup([join(place, "a"), "b"], { cwd: place });
  const four = await restoreTo("four");
  assertSameTree(join(place, "a"), join(four, place, "a"));
  assertSameTree(join(place, "b"), join(four, "b"));
});

test("a part of a snapshot: a folder, and a file that is none", async () => {
  const { place, ours } = await newPlace("subpath");
  const source = join(place, "source");
  buildTree(
    source,
    treeOf({
      "with space": directory({ "gr\xc3\xbc\xc3\x9fe": directory({ file: file("inside") }) }),
      file: file("top"),
    }),
  );
  const { snapshot_id: id } = await ours.backup(["."], { cwd: source });
  const target = join(place, "target");
  await ours.restore(`${id.slice(0, 12)}:/with space/grüße`, target);
  assertSameTree(join(source, "with space", "grüße"), target, { tops: false });
  await ours.restore(`latest:with space`, join(place, "target-2"));
  assertSameTree(join(source, "with space"), join(place, "target-2"), { tops: false });
  const refused = await ours.run(["restore", "latest:/file", "--target", join(place, "t")]);
  assertError(refused, { exitCode: 1, code: "snapshot.path-not-found", says: /not a folder/ });
});

test("names that are no UTF-8 as targets, from a list", async () => {
  const { place, ours } = await newPlace("raw-names");
  const source = join(place, "source");
  buildTree(source, treeOf({ "\xff\xfe": directory({ "\x80": file("x") }), "\xe4": file("y") }));
  const list = join(place, "list");
  writeFileSync(list, Buffer.from("\xff\xfe\0\xe4\0", "latin1"));
  await ours.backup([], { cwd: source, args: ["--files-from-raw", list] });
  const target = join(place, "target");
  await ours.restore("latest", target);
  assertSameTree(source, target, { tops: false });
});

test("an ordinary user: what may not be read is named, owners are left, the rest comes back", async () => {
  assert.equal(process.getuid?.(), 0, "this test changes users: run it as root");
  const { place, ours } = await newPlace("ordinary-user");
  const source = makeFolder(place, "source");
  mkdirSync(join(source, "open"));
  writeFileSync(join(source, "open", "file"), "readable");
  chownSync(join(source, "open", "file"), 1234, 1234);
  writeFileSync(join(source, "secret"), "not for everyone");
  chmodSync(join(source, "secret"), 0o600);
  mkdirSync(join(source, "closed"), 0o700);
  for (const above of [folder, place]) chmodSync(above, 0o755);
  const own = makeFolder(place, "own");
  chmodSync(own, 0o777);

  const asNobody = (...args: string[]): Promise<Finished> =>
    startProgram(
      "setpriv",
      [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        COMEBACK.command,
        "-r",
        join(own, "r"),
        ...args,
      ],
      { env: { ...ours.environment, HOME: own } },
    ).finished;
  const init = await asNobody("init");
  assert.equal(init.exitCode, 0, init.describe());
  const backup = await asNobody("backup", source);
  assert.equal(backup.exitCode, 3, backup.describe());
  for (const name of ["secret", "closed"]) assert.match(backup.stderr, new RegExp(`/${name}: `));
  const target = join(own, "target");
  const restore = await asNobody("restore", `latest:${source}`, "--target", target);
  assert.equal(restore.exitCode, 0, restore.describe());
  const options = { ignore: ["uid", "gid"], tops: false } as const;
  assertSameTree(join(source, "open"), join(target, "open"), options);
});
