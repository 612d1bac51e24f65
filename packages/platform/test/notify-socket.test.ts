import assert from "node:assert/strict";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { processFunctions } from "../src/native-library.ts";
import { sendToNotifySocket, unixSocketAddress } from "../src/notify-socket.ts";

/** The service manager's end. */
function listenAt(path: string): { receive(): string } & Disposable {
  const { socket, bind, recv } = processFunctions({
    socket: "int socket(int domain, int type, int protocol)",
    bind: "int bind(int fd, const void *address, uint length)",
    recv: "long recv(int fd, void *to, size_t length, int flags)",
  })!;
  const fd = socket(1, 2, 0) as number;
  const address = unixSocketAddress(path);
  assert.equal(bind(fd, address, address.length), 0);
  return {
    receive() {
      const data = Buffer.alloc(4096);
      const MSG_DONTWAIT = 0x40;
      const length = recv(fd, data, data.length, MSG_DONTWAIT) as number;
      return length < 0 ? "nothing" : data.toString("utf8", 0, length);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

test("a message arrives at a socket in the file system, and at one outside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-notify-"));
  try {
    for (const path of [join(folder, "notify"), `@comeback-notify-test-${process.pid}`]) {
      using manager = listenAt(path);
      sendToNotifySocket(path, "READY=1\nSTATUS=läuft");
      assert.equal(manager.receive(), "READY=1\nSTATUS=läuft");
      assert.equal(manager.receive(), "nothing");
    }
    assert.throws(() => sendToNotifySocket(join(folder, "none"), "READY=1"), /ENOENT/);
    assert.throws(() => sendToNotifySocket(`/${"x".repeat(200)}`, "READY=1"), /too long/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
