import { constants } from "node:os";
import { libc, type NativeMemory, nativeMemory } from "./libc.ts";

/** `struct passwd` and `struct group` both begin with the pointer to the name. */
const ENTRY_BYTES = 128;
const POINTER_BYTES = 8;
const TEXT_FIRST_BYTES = 4 * 1024;
/** A group may list thousands of members, all of which go into the buffer. */
const TEXT_MAX_BYTES = 16 * 1024 * 1024;

const users = new Map<number, string>();
const groups = new Map<number, string>();

/** The name of a user as the system's databases (files, LDAP, ...) know it, or "". */
export function userName(uid: number): string {
  let name = users.get(uid);
  if (name === undefined) users.set(uid, (name = lookUp("getpwuid_r", uid)));
  return name;
}

/** The name of a group, or "". */
export function groupName(gid: number): string {
  let name = groups.get(gid);
  if (name === undefined) groups.set(gid, (name = lookUp("getgrgid_r", gid)));
  return name;
}

let entry: NativeMemory | undefined;
let found: NativeMemory | undefined;
let text: NativeMemory | undefined;

function lookUp(call: "getpwuid_r" | "getgrgid_r", id: number): string {
  const c = libc();
  entry ??= nativeMemory(ENTRY_BYTES);
  found ??= nativeMemory(POINTER_BYTES);
  text ??= nativeMemory(TEXT_FIRST_BYTES);
  for (;;) {
    found.bytes.fill(0);
    const size = text.bytes.length;
    // These calls give the error number as their result.
    const errno = c[call](id, entry.address, text.address, size, found.address);
    if (errno === constants.errno.EINTR) continue;
    if (errno === constants.errno.ERANGE && size < TEXT_MAX_BYTES) {
      text = nativeMemory(size * 4);
      continue;
    }
    if (errno !== 0 || found.bytes.readBigUInt64LE() === 0n) return "";
    const start = Number(entry.bytes.readBigUInt64LE()) - text.address;
    if (start < 0 || start >= size) return "";
    return text.bytes.toString("utf8", start, text.bytes.indexOf(0, start));
  }
}
