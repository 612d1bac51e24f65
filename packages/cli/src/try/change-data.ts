import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { ByteString } from "@comeback/core";
import { type DataScale, documentPath } from "./make-data.ts";
import { SeededBytes } from "./seeded-bytes.ts";

/** How many entries were changed in which way. */
export interface Changes {
  readonly edited: number;
  readonly added: number;
  readonly removed: number;
  readonly moved: number;
}

/** What happens to data within a day: some is edited, added, removed, moved. */
export function changeData(root: ByteString, scale: DataScale): Changes {
  const random = new SeededBytes(2);
  const part = Math.floor(scale.documents / 40);
  for (let number = 0; number < part; number++) {
    appendFileSync(documentPath(root, number), `edited: ${random.text(80)}\n`);
    unlinkSync(documentPath(root, part + number));
    writeFileSync(`${root}/documents/added-${number}.txt`, random.text(2_000));
  }
  renameSync(`${root}/documents/2020`, `${root}/documents/archive-2020`);
  overwrite(`${root}/films/film.mkv`, Math.floor(scale.largeBytes / 2), random.bytes(4_096));
  overwrite(`${root}/database/table.db`, 8_192, random.bytes(512));
  appendFileSync(`${root}/database/wal.log`, random.text(64 * 1024));
  chmodSync(`${root}/attributes/read only`, 0o640);
  utimesSync(`${root}/attributes/setuid`, 1_234_567_890, 1_234_567_890);
  symlinkSync("added-0.txt", `${root}/documents/newest`);
  return { edited: part + 5, added: part + 1, removed: part, moved: 1 };
}

function overwrite(path: ByteString, position: number, bytes: Buffer): void {
  const fd = openSync(path, "r+");
  try {
    writeSync(fd, bytes, 0, bytes.length, position);
  } finally {
    closeSync(fd);
  }
}

/** What a disaster did, and what it must not have led a restore to touch. */
export interface Damage {
  readonly encrypted: number;
  readonly removed: readonly string[];
  /** A file outside, which a link planted in the data points to. */
  readonly bystander: ByteString;
}

const BYSTANDER_TEXT = "This file is none of the restore's business.\n";

/**
 * A bad day: documents "encrypted" and renamed, folders gone, a database cut off, strangers' files
 * among ours, and a link planted where a folder was, leading outside.
 */
export function damageData(root: ByteString, scale: DataScale, outside: ByteString): Damage {
  const random = new SeededBytes(3);
  let encrypted = 0;
  for (let number = scale.documents - 1; number > scale.documents - scale.documents / 8; number--) {
    const path = documentPath(root, number).replace("/2020/", "/archive-2020/");
    writeFileSync(path, random.bytes(3_000));
    renameSync(path, `${path}.locked`);
    encrypted++;
  }
  writeFileSync(`${root}/READ ME TO GET YOUR FILES BACK.txt`, "Send money.\n");
  rmSync(`${root}/photos`, { recursive: true });
  rmSync(`${root}/odd names`, { recursive: true });
  truncateSync(`${root}/database/table.db`, Math.floor(scale.databaseBytes / 3));
  overwrite(`${root}/films/film-longer.mkv`, 100_000, random.bytes(70_000));
  rmSync(`${root}/machines/disk.img`);
  mkdirSync(`${root}/machines/disk.img`);
  writeFileSync(`${root}/machines/disk.img/in the way`, "");
  mkdirSync(`${outside}/topic-0`, { recursive: true });
  const bystander = `${outside}/topic-0/note-0000.txt`;
  writeFileSync(bystander, BYSTANDER_TEXT);
  rmSync(`${root}/documents/2019`, { recursive: true });
  symlinkSync(outside, `${root}/documents/2019`);
  return { encrypted, removed: ["photos", "odd names", "documents/2019"], bystander };
}

/** Whether the file outside is as it was. */
export function isBystanderUntouched({ bystander }: Damage): boolean {
  return readFileSync(bystander, "utf8") === BYSTANDER_TEXT;
}
