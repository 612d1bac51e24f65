/** Requests of the SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02). */
export const Request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  rename: 18,
  extended: 200,
} as const;

/** Flags of `open`. */
export const OpenFlag = { read: 1, write: 2, create: 8, exclusive: 32 } as const;

const ATTRIBUTE_PERMISSIONS = 4;

/** A field of a request, in the order in which they are sent. */
export type Field =
  | { readonly uint32: number }
  | { readonly uint64: number }
  | { readonly string: string | Uint8Array }
  /** Attributes with nothing but permission bits, or with nothing at all. */
  | { readonly mode: number | undefined };

/**
 * One request as bytes. `trailing` is a string whose bytes the caller sends itself, right behind:
 * so megabytes of data are not copied into a packet first.
 */
export function encodePacket(
  type: number,
  id: number | undefined,
  fields: readonly Field[],
  trailingBytes?: number,
): Buffer {
  const texts = fields.map((field) =>
    "string" in field && typeof field.string === "string" ? Buffer.from(field.string) : undefined,
  );
  const head = 5 + (id === undefined ? 0 : 4);
  const trailing = trailingBytes === undefined ? 0 : 4;
  const size = fields.reduce((sum, field, i) => sum + sizeOf(field, texts[i]), head + trailing);
  const packet = Buffer.allocUnsafe(size);
  packet.writeUInt32BE(size - 4 + (trailingBytes ?? 0), 0);
  packet[4] = type;
  if (id !== undefined) packet.writeUInt32BE(id, 5);
  let at = head;
  fields.forEach((field, i) => {
    at = writeField(packet, at, field, texts[i]);
  });
  if (trailingBytes !== undefined) packet.writeUInt32BE(trailingBytes, at);
  return packet;
}

function sizeOf(field: Field, text: Buffer | undefined): number {
  if ("uint32" in field) return 4;
  if ("uint64" in field) return 8;
  if ("mode" in field) return field.mode === undefined ? 4 : 8;
  return 4 + (text ?? field.string).length;
}

function writeField(packet: Buffer, at: number, field: Field, text: Buffer | undefined): number {
  if ("uint32" in field) return packet.writeUInt32BE(field.uint32, at);
  if ("uint64" in field) {
    packet.writeUInt32BE(Math.floor(field.uint64 / 2 ** 32), at);
    return packet.writeUInt32BE(field.uint64 % 2 ** 32, at + 4);
  }
  if ("mode" in field) {
    const { mode } = field;
    packet.writeUInt32BE(mode === undefined ? 0 : ATTRIBUTE_PERMISSIONS, at);
    return mode === undefined ? at + 4 : packet.writeUInt32BE(mode, at + 4);
  }
  const bytes = text ?? (field.string as Uint8Array);
  packet.writeUInt32BE(bytes.length, at);
  packet.set(bytes, at + 4);
  return at + 4 + bytes.length;
}
