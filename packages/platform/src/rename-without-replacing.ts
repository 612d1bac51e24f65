import { constants } from "node:os";
import type { ByteString } from "@comeback/core";
import { AT_FDCWD } from "./constants.ts";
import { checked, libc, pathAddress, secondPathAddress } from "./libc.ts";
import { SystemCallError } from "./system-call-error.ts";

const RENAME_NOREPLACE = 1;
const NUMBERS: Readonly<Record<string, number>> = { x64: 316, arm64: 276 };

/**
 * Renames only where the new name is free: EEXIST otherwise, EINVAL or ENOSYS where the file
 * system or the kernel cannot say. FAT, exFAT and SMB can, and have no hard links.
 */
export function renameWithoutReplacing(from: ByteString, to: ByteString): void {
  const c = libc();
  const number = NUMBERS[process.arch];
  if (number === undefined) throw new SystemCallError(constants.errno.ENOSYS, "renameat2", from);
  const fromAddress = pathAddress(c, from, "renameat2");
  const toAddress = secondPathAddress(c, to, "renameat2");
  const result = c.syscall(number, AT_FDCWD, fromAddress, AT_FDCWD, toAddress, RENAME_NOREPLACE, 0);
  checked(c, result, "renameat2", to);
}
