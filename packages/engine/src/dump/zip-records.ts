import { isUtf8 } from "node:buffer";
import { type ByteString, bytesOf, isAscii } from "@comeback/core";
import { civilFromDays } from "../tree/civil.ts";
import { statModeFromGo } from "../tree/mode.ts";
import { parseTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";

/** Records of a zip file (PKWARE APPNOTE 6.3); the numbers of its sections stand beside them. */
const LOCAL_SIGNATURE = 0x0403_4b50;
const DESCRIPTOR_SIGNATURE = 0x0807_4b50;
const CENTRAL_SIGNATURE = 0x0201_4b50;
const END_SIGNATURE = 0x0605_4b50;
const END64_SIGNATURE = 0x0606_4b50;
const LOCATOR64_SIGNATURE = 0x0706_4b50;

const VERSION_PLAIN = 20;
const VERSION_ZIP64 = 45;
const MADE_BY_UNIX = 3 << 8;

const FLAG_DESCRIPTOR = 1 << 3;
const FLAG_UTF8 = 1 << 11;

export const METHOD_STORED = 0;
export const METHOD_DEFLATED = 8;

const EXTRA_ZIP64 = 0x0001;
const EXTRA_TIMESTAMP = 0x5455;
const HAS_MTIME = 1;
const DOS_FOLDER = 0x10;
const DOS_READ_ONLY = 0x01;
const OWNER_MAY_WRITE = 0o200;

const U16_MAX = 0xffff;
const U32_MAX = 0xffff_ffff;
/** From here on sizes get 64 bits: what is deflated may be a little larger than its source. */
const LARGE_FROM_BYTES = 0xff00_0000;

const DAY_SECONDS = 86_400;
const DOS_YEAR_MIN = 1980;
const DOS_YEAR_MAX = 2107;

/** One file of an archive. What is known only behind its content is filled in later. */
export interface ZipEntry {
  readonly name: ByteString;
  readonly node: TreeNode;
  readonly method: typeof METHOD_STORED | typeof METHOD_DEFLATED;
  readonly sizeBytes: number;
  readonly offset: number;
  crc: number;
  packedBytes: number;
}

/** Sizes and checksum stand behind the content: it is not known in advance. */
function hasDescriptor({ method }: ZipEntry): boolean {
  return method === METHOD_DEFLATED;
}

function isLarge({ sizeBytes }: ZipEntry): boolean {
  return sizeBytes >= LARGE_FROM_BYTES;
}

/** 4.3.7 */
export function localHeader(entry: ZipEntry): Buffer {
  const name = bytesOf(entry.name);
  // With zip64's field there, a reader knows that the descriptor has 64-bit sizes.
  const extra = Buffer.concat([
    ...(isLarge(entry) ? [extraField(EXTRA_ZIP64, Buffer.alloc(16))] : []),
    timestamp(entry.node),
  ]);
  const isLater = hasDescriptor(entry);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(LOCAL_SIGNATURE, 0);
  header.writeUInt16LE(isLarge(entry) ? VERSION_ZIP64 : VERSION_PLAIN, 4);
  writeCommon(header, 6, entry);
  header.writeUInt32LE(isLater ? 0 : entry.crc, 14);
  header.writeUInt32LE(isLarge(entry) ? U32_MAX : isLater ? 0 : entry.packedBytes, 18);
  header.writeUInt32LE(isLarge(entry) ? U32_MAX : isLater ? 0 : entry.sizeBytes, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

/** 4.3.9 */
export function dataDescriptor(entry: ZipEntry): Buffer {
  const large = isLarge(entry);
  const record = Buffer.alloc(large ? 24 : 16);
  record.writeUInt32LE(DESCRIPTOR_SIGNATURE, 0);
  record.writeUInt32LE(entry.crc, 4);
  if (large) {
    record.writeBigUInt64LE(BigInt(entry.packedBytes), 8);
    record.writeBigUInt64LE(BigInt(entry.sizeBytes), 16);
  } else {
    record.writeUInt32LE(entry.packedBytes, 8);
    record.writeUInt32LE(entry.sizeBytes, 12);
  }
  return record;
}

/** 4.3.12 */
export function centralHeader(entry: ZipEntry): Buffer {
  const name = bytesOf(entry.name);
  const beyond = entry.offset >= U32_MAX;
  const wide: number[] = [];
  if (isLarge(entry)) wide.push(entry.sizeBytes, entry.packedBytes);
  if (beyond) wide.push(entry.offset);
  const extra = Buffer.concat([
    ...(wide.length > 0 ? [extraField(EXTRA_ZIP64, wideNumbers(wide))] : []),
    timestamp(entry.node),
  ]);
  const version = wide.length > 0 ? VERSION_ZIP64 : VERSION_PLAIN;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(CENTRAL_SIGNATURE, 0);
  header.writeUInt16LE(MADE_BY_UNIX | version, 4);
  header.writeUInt16LE(version, 6);
  writeCommon(header, 8, entry);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(isLarge(entry) ? U32_MAX : entry.packedBytes, 20);
  header.writeUInt32LE(isLarge(entry) ? U32_MAX : entry.sizeBytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(attributesOf(entry.node), 38);
  header.writeUInt32LE(beyond ? U32_MAX : entry.offset, 42);
  return Buffer.concat([header, name, extra]);
}

/** 4.3.14 to 4.3.16: what is read first, at the end of the archive. */
export function endRecords(directory: {
  readonly entries: number;
  readonly offset: number;
  readonly sizeBytes: number;
}): Buffer {
  const { entries, offset, sizeBytes } = directory;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_SIGNATURE, 0);
  end.writeUInt16LE(Math.min(entries, U16_MAX), 8);
  end.writeUInt16LE(Math.min(entries, U16_MAX), 10);
  end.writeUInt32LE(Math.min(sizeBytes, U32_MAX), 12);
  end.writeUInt32LE(Math.min(offset, U32_MAX), 16);
  if (entries < U16_MAX && offset < U32_MAX && sizeBytes < U32_MAX) return end;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(END64_SIGNATURE, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(MADE_BY_UNIX | VERSION_ZIP64, 12);
  end64.writeUInt16LE(VERSION_ZIP64, 14);
  wideNumbers([entries, entries, sizeBytes, offset]).copy(end64, 24);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(LOCATOR64_SIGNATURE, 0);
  locator.writeBigUInt64LE(BigInt(offset + sizeBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, end]);
}

/** The mode of Unix, and below it what MS-DOS knows of it. */
function attributesOf({ type, mode }: TreeNode): number {
  const dos =
    (type === "dir" ? DOS_FOLDER : 0) | ((mode & OWNER_MAY_WRITE) === 0 ? DOS_READ_ONLY : 0);
  return ((statModeFromGo(mode) << 16) | dos) >>> 0;
}

/** Flags, method and time, which both headers have in this order. */
function writeCommon(header: Buffer, at: number, entry: ZipEntry): void {
  const isText = !isAscii(entry.name) && isUtf8(bytesOf(entry.name));
  const flags = (hasDescriptor(entry) ? FLAG_DESCRIPTOR : 0) | (isText ? FLAG_UTF8 : 0);
  header.writeUInt16LE(flags, at);
  header.writeUInt16LE(entry.method, at + 2);
  const { time, date } = dosTime(parseTime(entry.node.mtime).seconds);
  header.writeUInt16LE(time, at + 4);
  header.writeUInt16LE(date, at + 6);
}

/** Seconds of 1970 in the extra field of Info-ZIP, which every zone reads alike. */
function timestamp(node: TreeNode): Buffer {
  const { seconds } = parseTime(node.mtime);
  if (seconds !== (seconds | 0)) return Buffer.alloc(0);
  const field = Buffer.alloc(5);
  field.writeUInt8(HAS_MTIME, 0);
  field.writeInt32LE(seconds, 1);
  return extraField(EXTRA_TIMESTAMP, field);
}

/** MS-DOS knows neither zones nor odd seconds; here it is UTC. */
function dosTime(seconds: number): { readonly time: number; readonly date: number } {
  const day = Math.floor(seconds / DAY_SECONDS);
  const { year, month, day: dayOfMonth } = civilFromDays(day);
  if (year < DOS_YEAR_MIN) return { time: 0, date: (1 << 5) | 1 };
  const ofDay = seconds - day * DAY_SECONDS;
  const hour = Math.floor(ofDay / 3600);
  const minute = Math.floor((ofDay % 3600) / 60);
  return {
    time: (hour << 11) | (minute << 5) | Math.floor((ofDay % 60) / 2),
    date: ((Math.min(year, DOS_YEAR_MAX) - DOS_YEAR_MIN) << 9) | (month << 5) | dayOfMonth,
  };
}

function extraField(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
}

function wideNumbers(numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(8 * numbers.length);
  for (const [i, number] of numbers.entries()) buffer.writeBigUInt64LE(BigInt(number), 8 * i);
  return buffer;
}
