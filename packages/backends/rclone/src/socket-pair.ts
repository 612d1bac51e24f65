import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Two ends of one connection: what goes in at one comes out at the other. */
export interface SocketPair {
  readonly ours: Socket;
  readonly theirs: Socket;
}

/**
 * A connection that a child process can have as its standard input and output. Node's HTTP/2 reads
 * and writes a socket by itself, and two pipes through JavaScript: on a busy machine with two cores,
 * packs were saved at 190 to 270 MB/s instead of 80 to 100.
 */
export async function makeSocketPair(): Promise<SocketPair> {
  // In a folder that only this user may enter: nobody else can connect.
  const folder = await mkdtemp(join(tmpdir(), "comeback-rclone-"));
  const server = createServer({ pauseOnConnect: true });
  try {
    const path = join(folder, "socket");
    server.listen(path);
    await once(server, "listening");
    const ours = connect(path);
    const [[theirs]] = await Promise.all([
      once(server, "connection") as Promise<[Socket]>,
      once(ours, "connect"),
    ]);
    return { ours, theirs };
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
