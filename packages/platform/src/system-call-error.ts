import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { type ByteString, displayText } from "@comeback/core";

const codes = new Map<number, string>();
for (const [name, value] of Object.entries(constants.errno)) {
  // EWOULDBLOCK and EOPNOTSUPP are second names of EAGAIN and ENOTSUP.
  if (name !== "EWOULDBLOCK" && name !== "EOPNOTSUPP") codes.set(value, name);
}

/** A system call that failed, with the kernel's own reason. */
export class SystemCallError extends Error {
  /** Symbolic name, such as `ENOENT`. */
  readonly code: string;
  readonly errno: number;
  readonly systemCall: string;
  readonly path: ByteString | undefined;

  constructor(errno: number, systemCall: string, path?: ByteString) {
    const code = codes.get(errno) ?? `E${String(errno)}`;
    const where = path === undefined ? "" : ` '${displayText(path)}'`;
    super(`${code}: ${reasonOf(errno)}, ${systemCall}${where}`);
    this.name = "SystemCallError";
    this.code = code;
    this.errno = errno;
    this.systemCall = systemCall;
    this.path = path;
  }

  /** The kernel's reason in words, without code, call and path. */
  get reason(): string {
    return reasonOf(this.errno);
  }
}

/** True for a failed system call, of the given code where one is asked for. */
export function isSystemCallError(error: unknown, code?: string): error is SystemCallError {
  return error instanceof SystemCallError && (code === undefined || error.code === code);
}

function reasonOf(errno: number): string {
  return getSystemErrorMessage(-errno) ?? "unknown system error";
}
