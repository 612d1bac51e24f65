import { PacketReader, Reply, Status } from "../src/packet-reader.ts";
import { PacketSplitter } from "../src/packet-splitter.ts";
import { encodePacket, Request } from "../src/packet-writer.ts";

/**
 * Stands in for a server behind a connection that died: it speaks SFTP on its standard input and
 * output for so many packets (its argument), saying that nothing is there, and then is silent.
 */
let left = Number(process.argv[2]);

const splitter = new PacketSplitter((packet) => {
  if (left-- <= 0) return;
  const body = new PacketReader(packet);
  const type = body.byte();
  const id = body.uint32();
  process.stdout.write(
    type === Request.init
      ? encodePacket(Reply.version, undefined, [{ uint32: id }])
      : encodePacket(Reply.status, id, [
          { uint32: Status.noSuchFile },
          { string: "no such file" },
          { string: "" },
        ]),
  );
});
process.stdin.on("data", (chunk: Buffer) => splitter.push(chunk));
