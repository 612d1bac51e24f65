import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { randomTree } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** Archives come back whole through GNU tar, unzip and Python, and are what restic's are. */
const folder = scratchFolder("dump");
const source = join(folder, "source");
const ours = new Client(COMEBACK, join(folder, "repository"));
const theirs = new Client(RESTIC_018, ours.repository);

before(async () => {
  await makeQuickRepository(ours.repository);
  randomTree(source, 913, { entries: 300, largeFiles: true });
  writeFileSync(join(source, "same"), "one content");
  await ours.backup(["."], { cwd: source });
});

function run(command: string, args: readonly string[], input?: string): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, TZ: "UTC" },
    stdio: ["pipe", "pipe", "ignore"],
    ...(input === undefined ? {} : { input }),
  });
}

interface Entry {
  readonly name: string;
  readonly type: string;
}

/**
 * What a program in Python reads in an archive, one line an entry. restic's tar has whole seconds,
 * rounded, and its zip wraps years around that MS-DOS does not know.
 */
function entries(program: string, archive: string): Entry[] {
  const lines = run("python3", ["-c", program, archive]).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Entry);
}

/** Those of our entries that restic has otherwise, or not at all; what is null matters not. */
function comparedWith(restic: readonly Entry[], own: readonly Entry[]): unknown[] {
  const theirs = new Map(restic.map((entry) => [entry.name, entry]));
  assert.ok(own.length > 200);
  return own.flatMap((entry) => {
    const other = theirs.get(entry.name);
    const unknown = Object.entries(entry).filter(([, value]) => value === null);
    const same = isDeepStrictEqual(entry, { ...other, ...Object.fromEntries(unknown) });
    return same ? [] : [{ entry, other }];
  });
}

const TAR_FIELDS = `
import sys, tarfile, json, hashlib, math
archive = tarfile.open(sys.argv[1])
for e in archive:
    if e.islnk(): continue
    content = hashlib.sha256(archive.extractfile(e).read()).hexdigest() if e.isreg() else ""
    more = {k: v for k, v in e.pax_headers.items() if k.startswith("SCHILY")}
    print(json.dumps({"name": e.name, "type": e.type.decode(), "mode": e.mode, "uid": e.uid,
        "gid": e.gid, "uname": e.uname, "gname": e.gname, "size": e.size, "link": e.linkname,
        "mtime": math.floor(e.mtime + 0.5), "more": more, "content": content}))
`;

const ZIP_FIELDS = `
import sys, zipfile, json, struct
for e in zipfile.ZipFile(sys.argv[1]).infolist():
    mtime = struct.unpack("<i", e.extra[5:9])[0] if len(e.extra) == 9 else None
    known = mtime is not None and mtime > 400000000
    print(json.dumps({"name": e.filename, "type": e.compress_type, "size": e.file_size,
        "crc": e.CRC, "attributes": e.external_attr, "system": e.create_system,
        "mtime": mtime if known else None, "date": e.date_time if known else None}))
`;

async function dumpBoth(format: string): Promise<[string, string]> {
  const [mine, restic] = [join(folder, `ours.${format}`), join(folder, `restic.${format}`)];
  await ours.done(["dump", "latest", "/", "--archive", format, "--target", mine]);
  await theirs.done(["dump", "latest", "/", "--archive", format, "--target", restic]);
  return [mine, restic];
}

test("tar: GNU tar brings back every byte and attribute", async () => {
  const archive = join(folder, "whole.tar");
  await ours.done(["dump", "latest", "/", "--target", archive]);
  const target = makeFolder(folder, "from-tar");
  const flags = ["--xattrs", "--xattrs-include=*", "--acls", "-xpf"];
  run("tar", [...flags, archive, "-C", target]);
  assertSameTree(source, target, { tops: false });
  rmSync(target, { recursive: true });
});

test("tar: the fields are restic's", async () => {
  const [mine, restic] = await dumpBoth("tar");
  const own = entries(TAR_FIELDS, mine);
  // Further names of a file are links here, and files there. Devices and the like are only here,
  // but for those at the top, of which restic makes files.
  const plain = own.filter(({ type }) => ["0", "2", "5"].includes(type));
  assert.deepEqual(comparedWith(entries(TAR_FIELDS, restic), plain), []);
  assert.ok(own.some(({ type }) => type === "6"));
});

test("zip: Python and unzip read it, and the fields are restic's", async () => {
  const [mine, restic] = await dumpBoth("zip");
  run("unzip", ["-tq", mine]);
  const own = entries(ZIP_FIELDS, mine);
  assert.deepEqual(comparedWith(entries(ZIP_FIELDS, restic), own), []);
  const target = makeFolder(folder, "from-zip");
  run("unzip", ["-qq", mine, "-d", target]);
  assertSameTree(source, target, {
    tops: false,
    ignore: ["uid", "gid", "mtime", "xattr", "hard-links", "mode"],
    // unzip changes control characters and bytes in names; which names there are was seen above.
    excuses: ({ kind }) => kind === "missing" || kind === "extra",
  });
});

test("a folder's archive has its whole path, or with SNAPSHOT:PATH none", async () => {
  for (const [which, path, first] of [
    ["latest", "/large", "large/random-524287"],
    ["latest:/large", "/", "random-524287"],
  ] as const) {
    const names = [];
    for (const client of [ours, theirs]) {
      const { stdout } = await client.done(["dump", which, path]);
      const archive = join(folder, "part.tar");
      writeFileSync(archive, stdout);
      names.push(run("tar", ["-tf", archive]));
    }
    assert.equal(names[0], names[1]);
    assert.ok(names[0]?.startsWith(first));
  }
});

test("files, of many blobs and of none, to standard output and into a target", async () => {
  for (const name of ["large/random-8388609", "large/zeros", "empty file", "same"]) {
    const hashes = [];
    for (const client of [ours, theirs]) {
      const { stdout } = await client.done(["dump", "latest", `/${name}`]);
      hashes.push(createHash("sha256").update(stdout).digest("hex"));
    }
    const target = join(folder, "dumped");
    await ours.done(["dump", "latest", name, "--target", target]);
    hashes.push(run("sha256sum", [target]).slice(0, 64));
    assert.deepEqual(new Set(hashes).size, 1, name);
  }
});

test("what is neither file nor folder, or not there, is refused", async () => {
  for (const path of ["/dangling", "/fifo", "/nothing", "/same/below"]) {
    const [mine, restic] = [
      await ours.run(["dump", "latest", path]),
      await theirs.run(["dump", "latest", path]),
    ];
    assert.equal(mine.exitCode, 1, mine.describe());
    assert.equal(restic.exitCode, 1, restic.describe());
    assert.equal(mine.stdout.length, 0);
  }
});

test("sockets and devices are left out of a zip file, and that is said", async () => {
  const { stderr } = await ours.done(["dump", "latest", "/", "-a", "zip", "-t", join(folder, "z")]);
  assert.match(stderr, /^warning: left out, because zip has no place for them: .*\d fifos?/m);
});

test("a dump that damage ends leaves no target, and names the file", async () => {
  const copy = join(folder, "damaged");
  run("cp", ["-r", ours.repository, copy]);
  const client = new Client(COMEBACK, copy);
  const { stdout } = await client.done(["cat", "tree", "latest:/large"]);
  const { nodes } = JSON.parse(stdout.toString("utf8")) as {
    nodes: { name: string; content: string[] }[];
  };
  const blob = nodes.find(({ name }) => name === "random-8388609")?.content.at(-1) ?? "";
  const found = await client.json<{ pack: string }[]>(["find", "--blob", "--show-pack-id", blob]);
  const pack = found[0]?.pack ?? "";
  rmSync(join(copy, "data", pack.slice(0, 2), pack));
  const target = join(folder, "incomplete");
  const finished = await client.run(["dump", "latest", "/large", "--target", target]);
  assert.equal(finished.exitCode, 1, finished.describe());
  assert.match(finished.stderr, /error: the content of large\/\S+ is damaged/);
  assert.ok(!existsSync(target));
});

test("a full disk ends a dump with what could not be written", async () => {
  const finished = await ours.run(["dump", "latest", "/", "--target", "/dev/full"]);
  assert.equal(finished.exitCode, 1, finished.describe());
  assert.match(finished.stderr, /error: \/dev\/full cannot be written/);
});

test("a reader that goes away ends a dump quietly, and leaves no lock", async () => {
  const reader = join(folder, "reader");
  mkdirSync(reader);
  const script = `"$0" -r "$1" dump latest / | head -c 1000 > "$2"; exit \${PIPESTATUS[0]}`;
  const out = join(reader, "head");
  closeSync(openSync(out, "w"));
  const { command } = ours.tool;
  let exitCode = 0;
  try {
    execFileSync("bash", ["-c", script, command, ours.repository, out], {
      env: { ...process.env, ...ours.environment },
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch (error) {
    exitCode = (error as { status: number }).status;
  }
  assert.equal(exitCode, 141);
  assert.equal((await ours.done(["list", "locks"])).stdout.length, 0);
});
