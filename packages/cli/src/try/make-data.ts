import {
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { type ByteString, nodePath } from "@comeback/core";
import { AT_FDCWD, chmodAt, mknodAt, setXattr, utimensAt } from "@comeback/platform";
import { SeededBytes } from "./seeded-bytes.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const SEED = 20_260_131;

/** How much is made: a whole trial, or a small companion of the user's own folder. */
export interface DataScale {
  readonly documents: number;
  readonly photos: number;
  readonly largeBytes: number;
  readonly databaseBytes: number;
  readonly sparseBytes: number;
}

export const FULL_SCALE: DataScale = {
  documents: 2_400,
  photos: 10,
  largeBytes: 12 * MiB,
  databaseBytes: 10 * MiB,
  sparseBytes: 32 * MiB,
};

export const SMALL_SCALE: DataScale = {
  documents: 240,
  photos: 3,
  largeBytes: 2 * MiB,
  databaseBytes: 1 * MiB,
  sparseBytes: 4 * MiB,
};

/** What a file system or a user without rights did not allow; the trial goes on without it. */
export type LeftOut = Set<string>;

export const YEARS = ["2019", "2020", "2021", "2022", "2023", "2024"] as const;

/** Where document `number` is. */
export function documentPath(root: ByteString, number: number): ByteString {
  const year = YEARS[number % YEARS.length];
  const folder = `${root}/documents/${year}/topic-${(number >> 3) % 20}`;
  return `${folder}/note-${String(number).padStart(4, "0")}.txt`;
}

/** Fills a new folder with what real ones hold, and with what backup programs stumble over. */
export async function makeData(
  root: ByteString,
  scale: DataScale,
  signal: AbortSignal,
): Promise<LeftOut> {
  const random = new SeededBytes(SEED);
  const leftOut: LeftOut = new Set();
  const steps = [
    () => makeDocuments(root, scale, random),
    () => makeMedia(root, scale, random),
    () => makeDatabase(root, scale, random),
    () => makeSparse(root, scale),
    () => makeLinks(root),
    () => makeOddNames(root),
    () => makeAttributes(root, leftOut),
  ];
  mkdirSync(nodePath(root), { recursive: true });
  for (const step of steps) {
    step();
    await breathe();
    signal.throwIfAborted();
  }
  return leftOut;
}

function makeDocuments(root: ByteString, scale: DataScale, random: SeededBytes): void {
  const text = random.text(MiB);
  for (let number = 0; number < scale.documents; number++) {
    const path = documentPath(root, number);
    if (number < YEARS.length * 160) mkdirSync(parentOf(path), { recursive: true });
    const start = random.below(text.length - 16 * KiB);
    const length = 200 + random.below(number % 40 === 0 ? 16 * KiB : 6 * KiB);
    writeFileSync(path, `note ${number}\n${text.slice(start, start + length)}`);
  }
}

function makeMedia(root: ByteString, scale: DataScale, random: SeededBytes): void {
  mkdirSync(`${root}/photos`);
  for (let number = 0; number < scale.photos; number++) {
    const bytes = random.bytes(600 * KiB + random.below(900 * KiB));
    writeFileSync(`${root}/photos/img-${number}.jpg`, bytes);
  }
  // The same film twice, the second one with a scene more: only the scene is stored again.
  mkdirSync(`${root}/films`);
  const film = random.bytes(scale.largeBytes);
  const third = Math.floor(scale.largeBytes / 3);
  writeFileSync(`${root}/films/film.mkv`, film);
  writeFileSync(
    `${root}/films/film-longer.mkv`,
    Buffer.concat([film.subarray(0, third), random.bytes(64 * KiB), film.subarray(third)]),
  );
}

function makeDatabase(root: ByteString, scale: DataScale, random: SeededBytes): void {
  mkdirSync(`${root}/database`);
  const page = Buffer.from(random.text(4 * KiB).padEnd(4 * KiB, " "));
  const table = Buffer.alloc(scale.databaseBytes);
  for (let at = 0; at + page.length <= table.length; at += page.length) {
    page.writeUInt32BE(at, 0);
    random.bytes(512).copy(page, 64);
    page.copy(table, at, 0, Math.min(page.length, table.length - at));
  }
  writeFileSync(`${root}/database/table.db`, table, { mode: 0o600 });
  writeFileSync(`${root}/database/wal.log`, random.text(Math.ceil(scale.databaseBytes / 4)));
}

function makeSparse(root: ByteString, scale: DataScale): void {
  mkdirSync(`${root}/machines`);
  const fd = openSync(`${root}/machines/disk.img`, "w");
  try {
    ftruncateSync(fd, scale.sparseBytes);
    writeSync(fd, "boot sector", 0);
    writeSync(fd, Buffer.alloc(64 * KiB, "data"), 0, 64 * KiB, Math.floor(scale.sparseBytes / 2));
  } finally {
    closeSync(fd);
  }
}

function makeLinks(root: ByteString): void {
  const folder = `${root}/links`;
  mkdirSync(folder);
  symlinkSync("../documents/2019", `${folder}/relative`);
  symlinkSync("/etc/hostname", `${folder}/absolute`);
  symlinkSync("nowhere/at/all", `${folder}/dangling`);
  linkSync(`${root}/films/film.mkv`, `${folder}/hard-link-to-film.mkv`);
  writeFileSync(`${folder}/shared`, "one file, two names\n");
  linkSync(`${folder}/shared`, `${folder}/shared-too`);
}

const ODD_NAMES: readonly ByteString[] = [
  " leading and trailing space ",
  "-starts-with-a-dash",
  "new\nline and\ttab",
  "quote\"s and 'apostrophes' and `ticks`",
  "back\\slash",
  "\u001b[31mescape sequence",
  "*?[glob]{a,b}$HOME",
  "not UTF-8: \xff\xfe\x80",
  Buffer.from("größe – 大きさ – 🎉", "utf8").toString("latin1"),
  Buffer.from("e\u0301 is not \u00e9", "utf8").toString("latin1"),
  "n".repeat(255),
];

function makeOddNames(root: ByteString): void {
  const folder = `${root}/odd names`;
  mkdirSync(folder);
  for (const name of ODD_NAMES) {
    writeFileSync(nodePath(`${folder}/${name}`), `the file ${name}\n`);
  }
  writeFileSync(`${folder}/empty file`, "");
  mkdirSync(`${folder}/empty folder`);
  const deep = Array.from({ length: 12 }, (_, level) => `level-${level}-${"x".repeat(150)}`);
  mkdirSync(`${folder}/${deep.join("/")}`, { recursive: true });
  writeFileSync(`${folder}/${deep.join("/")}/bottom`, "a path of about two thousand characters\n");
}

function makeAttributes(root: ByteString, leftOut: LeftOut): void {
  const folder = `${root}/attributes`;
  mkdirSync(folder);
  const make = (name: string): ByteString => {
    writeFileSync(`${folder}/${name}`, `${name}\n`);
    return `${folder}/${name}`;
  };
  chmodAt(AT_FDCWD, make("setuid"), 0o4755);
  chmodAt(AT_FDCWD, make("for its owner only"), 0o400);
  chmodAt(AT_FDCWD, make("read only"), 0o444);
  mkdirSync(`${folder}/sticky`);
  chmodAt(AT_FDCWD, `${folder}/sticky`, 0o1777);
  attempt(leftOut, "a named pipe", () => mknodAt(AT_FDCWD, `${folder}/pipe`, 0o010644, 0));
  attempt(leftOut, "a device", () => mknodAt(AT_FDCWD, `${folder}/null device`, 0o020666, 0x103));
  const tagged = make("tagged");
  attempt(leftOut, "extended attributes", () => {
    setXattr(tagged, "user.comeback.note", Buffer.from([0, 1, 2, 0xff]));
    setXattr(tagged, "user.empty", Buffer.alloc(0));
  });
  const shared = make("shared by ACL");
  attempt(leftOut, "access control lists", () => {
    setXattr(shared, "system.posix_acl_access", ACL_WITH_A_NAMED_USER);
  });
  setTime(make("before 1970"), { seconds: -14_182_940, nanoseconds: 123_456_789 });
  setTime(make("after 2038"), { seconds: 4_102_444_799, nanoseconds: 999_999_999 });
  lutimesSync(`${root}/links/dangling`, 1_000_000_000, 1_000_000_000);
}

/** user::rw- user:12345:r-- group::r-- mask::r-- other::--- (posix_acl_xattr, version 2). */
const ACL_WITH_A_NAMED_USER: Buffer = Buffer.from(
  "02000000" +
    "01000600ffffffff" +
    "0200040039300000" +
    "04000400ffffffff" +
    "10000400ffffffff" +
    "20000000ffffffff",
  "hex",
);

function setTime(path: ByteString, mtime: { seconds: number; nanoseconds: number }): void {
  utimensAt(AT_FDCWD, path, mtime, mtime);
}

function attempt(leftOut: LeftOut, what: string, make: () => void): void {
  try {
    make();
  } catch {
    leftOut.add(what);
  }
}

function parentOf(path: ByteString): ByteString {
  return path.slice(0, path.lastIndexOf("/"));
}
