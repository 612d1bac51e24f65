import { closeSync } from "node:fs";
import koffi from "koffi";
import { processFunctions } from "./native-library.ts";
import { SystemCallError } from "./system-call-error.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC: number = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** Of `sockaddr_un`: two bytes for the family, and what a path may be long. */
const PATH_OFFSET = 2;
const PATH_MAX_BYTES = 107;

const PROTOTYPES = {
  socket: "int socket(int domain, int type, int protocol)",
  sendto:
    "long sendto(int fd, const void *data, size_t length, int flags, " +
    "const void *address, uint addressLength)",
};

/** An address as the system's calls take it; "@name" is one outside the file system. */
export function unixSocketAddress(path: string): Buffer {
  const name = Buffer.from(path.replace(/^@/, "\0"), "utf8");
  if (name.length > PATH_MAX_BYTES) throw new RangeError(`the socket's path ${path} is too long`);
  const address = Buffer.alloc(PATH_OFFSET + name.length + (path.startsWith("@") ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, PATH_OFFSET);
  return address;
}

/**
 * Sends one message to a service manager's socket (sd_notify(3)), which Node's own sockets cannot.
 * From this very process: a helper program's message would be another's.
 */
export function sendToNotifySocket(path: string, message: string): void {
  const functions = processFunctions(PROTOTYPES);
  if (functions === undefined) return;
  const fd = functions.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0) as number;
  if (fd < 0) throw new SystemCallError(koffi.errno(), "socket", path);
  try {
    const address = unixSocketAddress(path);
    const data = Buffer.from(message, "utf8");
    const sent = functions.sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length);
    if ((sent as number) < 0) throw new SystemCallError(koffi.errno(), "sendto", path);
  } finally {
    closeSync(fd);
  }
}
