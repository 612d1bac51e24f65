import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { SFTP_PACKET_MAX_BYTES } from "@comeback/core";
import { PacketReader, ProtocolError } from "../src/packet-reader.ts";
import { PacketSplitter } from "../src/packet-splitter.ts";
import { encodePacket, Request } from "../src/packet-writer.ts";
import { SftpClient } from "../src/sftp-client.ts";
import { SftpStatusError } from "../src/sftp-status-error.ts";

const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });

function withoutSpaces(hex: string): string {
  return hex.replaceAll(" ", "");
}

test("a request is what the protocol says, to the byte", () => {
  const open = encodePacket(Request.open, 7, [{ string: "/ä" }, { uint32: 10 }, { mode: 0o600 }]);
  assert.equal(
    open.toString("hex"),
    withoutSpaces("00000018 03 00000007 00000003 2fc3a4 0000000a 00000004 00000180"),
  );
  const write = encodePacket(Request.write, 1, [{ string: "h" }, { uint64: 2 ** 32 + 5 }], 3);
  assert.equal(
    write.toString("hex"),
    withoutSpaces("00000019 06 00000001 00000001 68 0000000100000005 00000003"),
  );
});

test("packets survive any cut of the stream", () => {
  fc.assert(
    fc.property(
      fc.array(bytes(300), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }),
      (bodies, cuts) => {
        const sent = bodies.map((body, i) => encodePacket(i, i, [{ string: body }]));
        const stream = Buffer.concat(sent);
        const received: Buffer[] = [];
        const splitter = new PacketSplitter((packet) => received.push(Buffer.from(packet)));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          splitter.push(stream.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(
          received,
          sent.map((packet) => packet.subarray(4)),
        );
      },
    ),
    { seed: 2 },
  );
});

test("a length beyond all bounds is refused before anything is allocated", () => {
  for (const length of [0, SFTP_PACKET_MAX_BYTES + 1, 0xffffffff]) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    const splitter = new PacketSplitter(() => assert.fail("there is no packet"));
    assert.throws(() => splitter.push(head), ProtocolError);
  }
  // What a login script prints.
  const splitter = new PacketSplitter(() => assert.fail("there is no packet"));
  assert.throws(() => splitter.push(Buffer.from("Welcome to the server!\n")), ProtocolError);
});

test("no field reaches beyond its packet", () => {
  fc.assert(
    fc.property(bytes(60), fc.array(fc.integer({ min: 0, max: 4 })), (packet, kinds) => {
      const reader = new PacketReader(Buffer.from(packet));
      const readers = [
        () => reader.byte(),
        () => reader.uint32(),
        () => reader.uint64(),
        () => reader.string(),
        () => reader.attributes(),
      ] as const;
      try {
        for (const kind of kinds) {
          const value = readers[kind]?.();
          if (value instanceof Uint8Array) assert.ok(value.length <= packet.length);
        }
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
      assert.ok(reader.remainingBytes >= 0);
    }),
    { seed: 3 },
  );
});

const GREETING: Buffer = encodePacket(2, undefined, [{ uint32: 3 }]);

async function greetedClient(): Promise<{ client: SftpClient; input: PassThrough }> {
  const input = new PassThrough();
  const client = new SftpClient(input, new PassThrough().resume());
  input.write(GREETING);
  await client.greeted;
  return { client, input };
}

/** Every request of the client, all waiting for an answer. */
function everyRequest(client: SftpClient): Promise<unknown>[] {
  const handle = new Uint8Array([1]);
  return [
    client.open("a", 1),
    client.close(handle),
    client.read(handle, 0, new Uint8Array(10)),
    client.write(handle, 0, new Uint8Array(10)),
    client.stat("a"),
    client.lstat("a"),
    client.fstat(handle),
    client.openFolder("a"),
    client.readFolder(handle),
    client.makeFolder("a", 0o700),
    client.link("a", "b"),
    client.sync(handle),
    client.space("a"),
    client.limits(),
  ];
}

test("whatever a server answers, each request settles, and with an error that is ours", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          type: fc.constantFrom(101, 102, 103, 104, 105, 201, 7, 255),
          body: bytes(80),
          honestId: fc.boolean(),
        }),
        { maxLength: 20 },
      ),
      async (replies) => {
        const { client, input } = await greetedClient();
        const requests = everyRequest(client);
        replies.forEach(({ type, body, honestId }, i) => {
          const head = Buffer.alloc(9);
          head.writeUInt32BE(5 + body.length);
          head[4] = type;
          head.writeUInt32BE(honestId ? i : 1000 + i, 5);
          input.write(Buffer.concat([head, body]));
        });
        input.end();
        input.once("end", () => client.fail(new ProtocolError("the stream ended")));
        for (const outcome of await Promise.allSettled(requests)) {
          if (outcome.status === "fulfilled") continue;
          const error: unknown = outcome.reason;
          assert.ok(
            error instanceof ProtocolError || error instanceof SftpStatusError,
            String(error),
          );
        }
      },
    ),
    { seed: 4 },
  );
});

test("a greeting that is none fails the client", async () => {
  const greetings = [
    Buffer.from("bash: warning: setlocale\n"),
    encodePacket(101, undefined, [{ uint32: 3 }]),
    encodePacket(2, undefined, [{ uint32: 2 }]),
  ];
  for (const greeting of greetings) {
    const input = new PassThrough();
    const client = new SftpClient(input, new PassThrough().resume());
    input.write(greeting);
    await assert.rejects(client.greeted, ProtocolError);
    await assert.rejects(client.stat("a"), ProtocolError);
  }
});

test("more data than was asked for is not taken", async () => {
  const { client, input } = await greetedClient();
  const target = new Uint8Array(4);
  const read = client.read(new Uint8Array([1]), 0, target);
  input.write(encodePacket(103, 0, [{ string: new Uint8Array(5).fill(9) }]));
  await assert.rejects(read, ProtocolError);
  assert.deepEqual(target, new Uint8Array(4));
});
