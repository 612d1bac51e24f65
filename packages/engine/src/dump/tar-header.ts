import { type ByteString, byteStringFromText, type Instant, isAscii } from "@comeback/core";
import { permissionsFromGoMode } from "../tree/mode.ts";
import { parseTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import { aclText } from "./acl-text.ts";
import type { DumpEntry } from "./dump-parts.ts";

/** Everything in a tar file stands in blocks of this size. */
export const TAR_BLOCK_BYTES = 512;

/** What fits the fields of a plain header (POSIX 1003.1, "ustar"); the rest goes into records. */
const NAME_MAX_BYTES = 100;
const OWNER_NAME_MAX_BYTES = 31;
const ID_MAX: number = 8 ** 7 - 1;
const LARGE_MAX: number = 8 ** 11 - 1;

const ACL_RECORDS: ReadonlyMap<ByteString, string> = new Map([
  ["system.posix_acl_access", "SCHILY.acl.access"],
  ["system.posix_acl_default", "SCHILY.acl.default"],
]);
/** What Go, and so restic, makes of a time that is not there. */
const NO_TIME = "0001-01-01T00:00:00Z";

const TYPE_FLAGS: Readonly<Partial<Record<TreeNode["type"], string>>> = {
  file: "0",
  symlink: "2",
  chardev: "3",
  dev: "4",
  dir: "5",
  fifo: "6",
};
const TYPE_HARD_LINK = "1";
const TYPE_RECORDS = "x";

/** Whether tar knows this kind of entry: sockets it does not. */
export function isForTar(node: TreeNode): boolean {
  return TYPE_FLAGS[node.type] !== undefined;
}

/**
 * The blocks before an entry's content: a plain header, and before it, where that cannot say
 * everything, one with records of POSIX's pax format. The fields are those of restic's tar files.
 */
export function tarHeader(entry: DumpEntry): Buffer {
  const { node, linkTo, sizeBytes } = entry;
  const mtime = timeOf(node.mtime);
  const header = {
    name: node.type === "dir" ? `${entry.path}/` : entry.path,
    linkName: linkTo ?? (node.type === "symlink" ? (node.linktarget ?? "") : ""),
    type: linkTo === undefined ? (TYPE_FLAGS[node.type] as string) : TYPE_HARD_LINK,
    mode: permissionsFromGoMode(node.mode),
    sizeBytes,
    mtimeSeconds: mtime.seconds,
    userId: node.uid,
    groupId: node.gid,
    user: byteStringFromText(node.user),
    group: byteStringFromText(node.group),
    ...deviceOf(node),
  };
  const records = recordsOf(node, header, mtime);
  const plain = plainHeader(header);
  if (records === "") return plain;
  const content = Buffer.from(records, "latin1");
  const before = plainHeader({
    name: `PaxHeaders.0/${header.name}`.slice(0, NAME_MAX_BYTES).replace(/\/$/, ""),
    linkName: "",
    type: TYPE_RECORDS,
    mode: 0o644,
    sizeBytes: content.length,
    mtimeSeconds: 0,
    userId: 0,
    groupId: 0,
    user: "",
    group: "",
    major: 0,
    minor: 0,
  });
  return Buffer.concat([before, content, tarPadding(content.length), plain]);
}

const ZEROS: Buffer = Buffer.alloc(TAR_BLOCK_BYTES);

/** What fills the last block of a content. */
export function tarPadding(sizeBytes: number): Buffer {
  return ZEROS.subarray(0, (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

interface HeaderFields {
  readonly name: ByteString;
  readonly linkName: ByteString;
  readonly type: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly userId: number;
  readonly groupId: number;
  readonly user: ByteString;
  readonly group: ByteString;
  readonly major: number;
  readonly minor: number;
}

function plainHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const text = (at: number, value: ByteString, bytes: number): void => {
    block.write(value, at, bytes, "latin1");
  };
  const octal = (at: number, value: number, digits: number): void => {
    const fits = value >= 0 && value < 8 ** digits;
    text(at, (fits ? value : 0).toString(8).padStart(digits, "0"), digits);
  };
  text(0, fields.name, NAME_MAX_BYTES);
  octal(100, fields.mode, 7);
  octal(108, fields.userId, 7);
  octal(116, fields.groupId, 7);
  octal(124, fields.sizeBytes, 11);
  octal(136, fields.mtimeSeconds, 11);
  text(156, fields.type, 1);
  text(157, fields.linkName, NAME_MAX_BYTES);
  text(257, "ustar\x0000", 8);
  text(265, fields.user, OWNER_NAME_MAX_BYTES);
  text(297, fields.group, OWNER_NAME_MAX_BYTES);
  octal(329, fields.major, 7);
  octal(337, fields.minor, 7);
  // The sum of all bytes, with blanks in its own place.
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) sum += block[i] as number;
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `, 8);
  return block;
}

function recordsOf(node: TreeNode, header: HeaderFields, mtime: Instant): ByteString {
  let records = "";
  const add = (key: ByteString, value: ByteString): void => {
    records += record(key, value);
  };
  const text = (key: string, value: ByteString, maxBytes: number): void => {
    if (value.length > maxBytes || !isAscii(value)) add(key, value);
  };
  text("path", header.name, NAME_MAX_BYTES);
  text("linkpath", header.linkName, NAME_MAX_BYTES);
  text("uname", header.user, OWNER_NAME_MAX_BYTES);
  text("gname", header.group, OWNER_NAME_MAX_BYTES);
  if (header.userId > ID_MAX) add("uid", String(header.userId));
  if (header.groupId > ID_MAX) add("gid", String(header.groupId));
  if (header.sizeBytes > LARGE_MAX) add("size", String(header.sizeBytes));
  if (header.major > ID_MAX) add("SCHILY.devmajor", String(header.major));
  if (header.minor > ID_MAX) add("SCHILY.devminor", String(header.minor));
  const isPlainTime = mtime.nanoseconds === 0 && mtime.seconds >= 0 && mtime.seconds <= LARGE_MAX;
  if (!isPlainTime) add("mtime", timeRecord(mtime));
  if (node.atime !== NO_TIME) add("atime", timeRecord(parseTime(node.atime)));
  if (node.ctime !== NO_TIME) add("ctime", timeRecord(parseTime(node.ctime)));
  for (const { name, value } of node.extended_attributes ?? []) {
    const acl = ACL_RECORDS.get(name);
    const aclValue = acl === undefined ? undefined : aclText(value);
    if (acl !== undefined && aclValue !== undefined) add(acl, aclValue);
    else add(`SCHILY.xattr.${keyword(name)}`, Buffer.from(value).toString("latin1"));
  }
  return records;
}

/** GNU tar's way to put into a keyword what would end it. */
function keyword(name: ByteString): ByteString {
  return name.replaceAll(/%(?=3D|25)/g, "%25").replaceAll("=", "%3D");
}

/** "LENGTH KEY=VALUE\n", where the length counts itself. */
function record(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (length !== rest.length + String(length).length) {
    length = rest.length + String(length).length;
  }
  return `${length}${rest}`;
}

/** Seconds as a decimal number with as many digits as it needs. */
function timeRecord({ seconds, nanoseconds }: Instant): string {
  if (nanoseconds === 0) return String(seconds);
  const isBefore = seconds < 0;
  const whole = isBefore ? -(seconds + 1) : seconds;
  const fraction = isBefore ? 1_000_000_000 - nanoseconds : nanoseconds;
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "");
  return `${isBefore ? "-" : ""}${whole}.${digits}`;
}

function timeOf(text: string): Instant {
  return text === NO_TIME ? { seconds: 0, nanoseconds: 0 } : parseTime(text);
}

/** Linux's `st_rdev`, taken apart. */
function deviceOf(node: TreeNode): { major: number; minor: number } {
  const device = BigInt(node.device ?? 0);
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n)),
  };
}
