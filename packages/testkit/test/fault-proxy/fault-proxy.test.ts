import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { FaultProxy } from "../../src/fault-proxy/index.ts";
import { SeededRandom } from "../../src/seeded-random.ts";

const random = new SeededRandom(91);
let server: Server;
/** Of the server: one that waits to be read notices late, or never, that its other end is gone. */
const served: Set<Socket> = new Set();
let target: { port: number };

/** Sends everything back, and ends when the client does. */
before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    served.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => served.delete(socket));
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  target = { port: (server.address() as AddressInfo).port };
});
after(() => {
  for (const socket of served) socket.destroy();
  server.close();
});

interface Echo {
  readonly bytes: Buffer;
  readonly error: string;
}

/** Sends bytes, and gathers what comes back until the connection ends or breaks. */
async function echo(port: number, data: Uint8Array): Promise<Echo> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let error = "";
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", (problem: NodeJS.ErrnoException) => (error = problem.code ?? ""));
  socket.end(data);
  await closed(socket);
  return { bytes: Buffer.concat(chunks), error };
}

/** An error before it is no failure of the wait. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("without faults every byte goes through, both ways", async () => {
  await using proxy = await FaultProxy.start(target);
  const data = random.bytes(3_000_000);
  const answers = await Promise.all([1, 2, 3].map(() => echo(proxy.port, data)));
  for (const { bytes, error } of answers) {
    assert.equal(error, "");
    assert.equal(Buffer.compare(bytes, data), 0);
  }
  assert.equal(proxy.connectionsMade, 3);
  assert.equal(proxy.passedBytes("up"), 9_000_000);
  assert.equal(proxy.passedBytes("down"), 9_000_000);
});

test("one connection breaks after so many bytes, the next one does not", async () => {
  await using proxy = await FaultProxy.start(target);
  proxy.stage({ down: { resetAfterBytes: 100_000 } });
  const data = random.bytes(300_000);
  const broken = await echo(proxy.port, data);
  assert.equal(broken.error, "ECONNRESET");
  assert.ok(broken.bytes.byteLength <= 100_000);
  assert.equal(Buffer.compare(broken.bytes, data.subarray(0, broken.bytes.byteLength)), 0);
  assert.equal(proxy.passedBytes("down"), 100_000);
  assert.equal(Buffer.compare((await echo(proxy.port, data)).bytes, data), 0);
});

test("a direction may end too early, as if it were complete", async () => {
  await using proxy = await FaultProxy.start(target);
  proxy.stage({ up: { endAfterBytes: 70_001 } }, 2);
  const data = random.bytes(200_000);
  assert.equal((await echo(proxy.port, data)).bytes.byteLength, 200_000);
  const { bytes, error } = await echo(proxy.port, data);
  assert.equal(error, "");
  assert.equal(Buffer.compare(bytes, data.subarray(0, 70_001)), 0);
});

test("one bit of one byte is another, wherever the byte lies", async () => {
  await using proxy = await FaultProxy.start(target);
  const data = random.bytes(200_000);
  for (const flipAtByte of [0, 65_535, 65_536, 199_999]) {
    proxy.stage({ up: { flipAtByte } });
    const { bytes } = await echo(proxy.port, data);
    const expected = Buffer.from(data);
    expected[flipAtByte]! ^= 1;
    assert.equal(Buffer.compare(bytes, expected), 0, `byte ${flipAtByte}`);
  }
});

test("a connection is refused, hangs, or is cut with all others", async () => {
  await using proxy = await FaultProxy.start(target);
  proxy.always({ refuse: true });
  assert.equal((await echo(proxy.port, random.bytes(10))).bytes.byteLength, 0);
  proxy.always().stage({ down: { hangAfterBytes: 5 } });
  const hanging = await connected(proxy.port);
  hanging.write(random.bytes(50));
  const [first] = (await once(hanging, "data")) as [Buffer];
  assert.equal(first.byteLength, 5);
  const other = await connected(proxy.port);
  assert.equal(proxy.connectionsOpen, 2);
  const bothClosed = Promise.all([closed(hanging), closed(other)]);
  proxy.cutAll();
  await bothClosed;
  assert.equal(proxy.connectionsOpen, 0);
  assert.equal((await echo(proxy.port, random.bytes(10))).bytes.byteLength, 10);
});

test("bytes arrive no sooner than latency and rate allow", async () => {
  await using proxy = await FaultProxy.start(target);
  proxy.stage({ up: { latencyMs: 60 }, down: { latencyMs: 40 } });
  let startMs = performance.now();
  await echo(proxy.port, random.bytes(1000));
  assert.ok(performance.now() - startMs >= 99, "latency of both ways");
  proxy.stage({ up: { bytesPerSecond: 1_000_000 } });
  startMs = performance.now();
  assert.equal((await echo(proxy.port, random.bytes(200_000))).bytes.byteLength, 200_000);
  assert.ok(performance.now() - startMs >= 199, "rate");
});
