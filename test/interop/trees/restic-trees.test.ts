import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ByteString } from "@comeback/core";
import {
  AT_FDCWD,
  chmodAt,
  linkAt,
  mkdirAt,
  mknodAt,
  setXattr,
  symlinkAt,
  utimensAt,
} from "@comeback/platform";
import { decodeTree, encodeTree, timeZoneFor } from "@comeback/engine/tree";
import { hostileNames } from "./hostile-names.ts";
import { CURRENT_RESTIC, OLDER_RESTIC, ResticRepository } from "./real-restic.ts";
import { treeOfFolder } from "./walk-nodes.ts";

/**
 * Our trees against those that the real restic writes of the same folder, byte by byte.
 * As root, devices and foreign owners are part of it; other users get the rest.
 */
const asRoot = process.getuid?.() === 0;
const base = mkdtempSync(join(tmpdir(), "comeback-trees-"));
/** A memory file system keeps times that ext4 cannot. */
const farTimes = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : base, "comeback-times-"));
after(() => {
  rmSync(base, { recursive: true, force: true });
  rmSync(farTimes, { recursive: true, force: true });
});

let shared: ResticRepository | undefined;
function repository(): ResticRepository {
  shared ??= new ResticRepository(CURRENT_RESTIC, join(base, "repository"));
  return shared;
}

function emptyFolder(name: string): string {
  const folder = join(base, name);
  mkdirSync(folder);
  return folder;
}

function touch(path: ByteString, content = ""): void {
  writeFileSync(Buffer.from(path, "latin1"), content);
}

function assertSameTree(folder: string, theirs: ResticRepository, timeZone = "UTC"): void {
  const id = theirs.backUp(folder, { timeZone });
  const ours = treeOfFolder(folder, { withAtime: false, zone: timeZoneFor(timeZone) });
  const text = theirs.treeText(id);
  assert.equal(ours.toString(), text);
  // Read and written again, the mark of an invalid byte becomes the character it stands for.
  const again = encodeTree(decodeTree(Buffer.from(text))).toString();
  const plain = (value: string): string => value.replaceAll("\\ufffd", "\ufffd");
  assert.equal(plain(again), plain(text));
}

function makeEveryType(folder: string): void {
  const at = (name: ByteString): ByteString => `${folder}/${name}`;
  touch(at("empty"));
  touch(at("small"), "content\n");
  touch(at("setuid"), "x");
  chmodAt(AT_FDCWD, at("setuid"), 0o6755);
  touch(at("no-permission"), "x");
  chmodAt(AT_FDCWD, at("no-permission"), 0);
  linkAt(AT_FDCWD, at("small"), AT_FDCWD, at("hard-link"));
  mkdirAt(AT_FDCWD, at("dir"), 0o755);
  touch(at("dir/inside"), "y");
  mkdirAt(AT_FDCWD, at("dir/empty"), 0o700);
  mkdirAt(AT_FDCWD, at("sticky"), 0o755);
  chmodAt(AT_FDCWD, at("sticky"), 0o1777);
  mknodAt(AT_FDCWD, at("fifo"), 0o010640, 0);
  const targets = [
    "small",
    "missing & <odd>",
    'tab\t\b\f\x01\x7f"\\',
    "b\xff\xfed",
    "\xe2\x80\xa8x",
    "/",
  ];
  for (const [index, target] of targets.entries()) symlinkAt(target, AT_FDCWD, at(`link-${index}`));
  if (!asRoot) return;
  mknodAt(AT_FDCWD, at("null"), 0o020666, 0x103);
  mknodAt(AT_FDCWD, at("far-device"), 0o060600, 0xfff0_0abc);
  mknodAt(AT_FDCWD, at("whiteout"), 0o020000, 0);
}

test("a folder with every type of entry", async () => {
  const folder = emptyFolder("types");
  makeEveryType(folder);
  const server = createServer().listen(join(folder, "socket"));
  await once(server, "listening");
  try {
    assertSameTree(folder, repository());
  } finally {
    server.close();
  }
});

test("extended attributes: order, odd names, odd values", () => {
  const folder = emptyFolder("attributes");
  for (const kind of ["file", "dir"]) {
    const path = join(folder, kind);
    if (kind === "dir") mkdirSync(path);
    else touch(path, "x");
    setXattr(path, "user.zeta", Buffer.from("last first"));
    setXattr(path, "user.alpha", Buffer.from([0, 255, 128, 10]));
    setXattr(path, "user.empty", new Uint8Array(0));
    setXattr(path, 'user.<&>"\\\x01\t\x08', Buffer.from("odd"));
    setXattr(path, "user.\xff\xc3\xa9", Buffer.from("no UTF-8"));
    setXattr(path, "user.long", Buffer.alloc(700, "ab"));
    // An ACL: user::rw-, user:1234:r--, group::r--, mask::r--, other::r--.
    const entries = [
      [1, 6, -1],
      [2, 4, 1234],
      [4, 4, -1],
      [16, 4, -1],
      [32, 4, -1],
    ] as const;
    const acl = Buffer.alloc(4 + 8 * entries.length);
    acl.writeUInt32LE(2);
    for (const [i, [tag, permissions, id]] of entries.entries()) {
      acl.writeUInt16LE(tag, 4 + i * 8);
      acl.writeUInt16LE(permissions, 6 + i * 8);
      acl.writeInt32LE(id, 8 + i * 8);
    }
    setXattr(path, "system.posix_acl_access", acl);
  }
  assertSameTree(folder, repository());
});

test("hostile names, seed 1", () => {
  const folder = emptyFolder("names");
  for (const name of hostileNames(1, 2500)) touch(`${folder}/${name}`);
  assertSameTree(folder, repository());
});

test("every code point that may print", () => {
  const folder = emptyFolder("runes");
  const perName = 60;
  // All planes that have assigned characters, the rest in samples.
  for (let first = 0x80; first <= 0x10ffff; first += perName) {
    if (first > 0x40000 && first < 0xe0000 && (first / perName) % 97 > 1) continue;
    if (first > 0xe1000 && first < 0x10ff00 && (first / perName) % 97 > 1) continue;
    let name = "";
    for (let rune = first; rune < first + perName && rune <= 0x10ffff; rune++) {
      if (rune < 0xd800 || rune > 0xdfff) name += String.fromCodePoint(rune);
    }
    if (name !== "") writeFileSync(`${folder}/${name}`, "");
  }
  assertSameTree(folder, repository());
});

const TIMES: readonly (readonly [seconds: number, nanoseconds: number])[] = [
  ...([
    [0, 0],
    [0, 1],
    [-1, 999_999_999],
    [-1, 0],
    [1, 100_000_000],
    [1, 120_000_000],
  ] as const),
  ...([
    [1_700_000_000, 123_456_789],
    [1_700_000_000, 10],
    [1_700_000_000, 999_999_999],
  ] as const),
  // Around the changes of the clocks in Vienna and St. John's, 2024 and 2060.
  ...([
    [1_711_846_799, 5],
    [1_711_846_800, 0],
    [1_729_990_799, 0],
    [1_729_990_800, 0],
  ] as const),
  ...([
    [1_710_048_599, 0],
    [1_710_048_600, 0],
    [2_847_747_600, 0],
    [2_866_500_000, 0],
  ] as const),
  // Before there were zones: local mean time has seconds.
  ...([
    [-2_500_000_000, 0],
    [-3_000_000_000, 7],
    [-5_000_000_000, 0],
    [-60_000_000_000, 0],
  ] as const),
  // Years around 0 and 9999, and far beyond them.
  ...([
    [-62_135_596_800, 0],
    [-62_167_219_200, 0],
    [-62_167_219_201, 0],
  ] as const),
  ...([
    [-62_170_000_000, 5],
    [-99_999_999_999, 0],
    [253_402_300_799, 0],
  ] as const),
  ...([
    [253_402_300_800, 0],
    [253_402_290_000, 1],
    [951_827_696_000, 3],
    [999_999_999_999, 9],
  ] as const),
];

for (const timeZone of ["UTC", "Europe/Vienna", "America/St_Johns", "Africa/Casablanca"]) {
  test(`odd times, written in ${timeZone}`, () => {
    const folder = join(farTimes, timeZone.replace("/", "-"));
    mkdirSync(folder);
    for (const [seconds, nanoseconds] of TIMES) {
      const path = `${folder}/${seconds}.${nanoseconds}`;
      touch(path);
      const time = { seconds, nanoseconds };
      utimensAt(AT_FDCWD, path, time, time);
    }
    assertSameTree(folder, repository(), timeZone);
  });
}

test("access times, when they are asked for", () => {
  const folder = emptyFolder("atime");
  for (const name of ["a", "b"]) {
    touch(`${folder}/${name}`);
    const mtime = { seconds: 1_600_000_000, nanoseconds: 5 };
    utimensAt(AT_FDCWD, `${folder}/${name}`, { seconds: 1_650_000_000, nanoseconds: 7 }, mtime);
  }
  const theirs = repository();
  const id = theirs.backUp(folder, { args: ["--with-atime"] });
  const ours = treeOfFolder(folder, { withAtime: true, zone: timeZoneFor("UTC") });
  assert.equal(ours.toString(), theirs.treeText(id));
});

test("an older restic writes the same trees", () => {
  const folder = emptyFolder("older");
  mkdirSync(join(folder, "types"));
  makeEveryType(join(folder, "types"));
  // Older ones neither keep a target that is no UTF-8, nor shorten \b and \f.
  for (const name of ["link-2", "link-3"]) rmSync(join(folder, "types", name));
  for (const name of hostileNames(2, 1000)) touch(`${folder}/${name}`);
  assertSameTree(
    folder,
    new ResticRepository(OLDER_RESTIC, join(base, "older-repository")),
    "Europe/Vienna",
  );
});
