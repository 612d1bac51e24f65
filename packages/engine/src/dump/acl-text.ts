const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const VERSION = 2;

const USER_OBJ = 0x01;
const USER = 0x02;
const GROUP_OBJ = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;

/**
 * An access list of Linux (the value of `system.posix_acl_access` or `_default`) as the text that
 * tar keeps it in, ids as numbers; `undefined` where it is none.
 */
export function aclText(value: Uint8Array): string | undefined {
  const entries = (value.length - HEADER_BYTES) / ENTRY_BYTES;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (entries < 0 || !Number.isInteger(entries) || view.getUint32(0, true) !== VERSION) {
    return undefined;
  }
  let text = "";
  for (let at = HEADER_BYTES; at < value.length; at += ENTRY_BYTES) {
    const who = ownerText(view.getUint16(at, true), view.getUint32(at + 4, true));
    if (who === undefined) return undefined;
    const rights = view.getUint16(at + 2, true);
    const letter = (bit: number, name: string): string => ((rights & bit) === 0 ? "-" : name);
    text += `${who}:${letter(4, "r")}${letter(2, "w")}${letter(1, "x")}\n`;
  }
  return text;
}

function ownerText(tag: number, id: number): string | undefined {
  switch (tag) {
    case USER_OBJ:
      return "user:";
    case USER:
      return `user:${id}`;
    case GROUP_OBJ:
      return "group:";
    case GROUP:
      return `group:${id}`;
    case MASK:
      return "mask:";
    case OTHER:
      return "other:";
    default:
      return undefined;
  }
}
