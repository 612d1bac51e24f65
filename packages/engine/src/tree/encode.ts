import { Buffer, isUtf8 } from "node:buffer";
import { bytesOf, type ExtendedAttribute, isAscii } from "@comeback/core";
import { jsonInner, jsonInnerFromBytes, jsonValueText } from "./go-json.ts";
import { goQuote } from "./go-quote.ts";
import type { JsonValue, TreeNode } from "./types.ts";

/** Names and texts that need neither quoting nor escaping: nearly all of them. */
const PLAIN_ASCII = /^[ !#-%'-;=?-[\]-~]*$/;

/** Text becomes bytes in parts of this size: a rope of many megabytes is slow to flatten. */
const PART_CHARACTERS = 32_768;

function quotedName(name: string): string {
  return PLAIN_ASCII.test(name) ? name : jsonInner(goQuote(name));
}

function textValue(text: string): string {
  return PLAIN_ASCII.test(text) ? text : jsonInner(text);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function linkTargetFields(target: string): string {
  const text = `,"linktarget":"${PLAIN_ASCII.test(target) ? target : jsonInnerFromBytes(target)}"`;
  if (isAscii(target)) return text;
  const bytes = bytesOf(target);
  // The text of a target that is no UTF-8 is damaged, so its bytes stand beside it (restic 0.16).
  return isUtf8(bytes) ? text : `${text},"linktarget_raw":"${base64(bytes)}"`;
}

function extendedAttributesField(attributes: readonly ExtendedAttribute[]): string {
  const items = attributes.map(
    ({ name, value }) => `{"name":"${jsonInnerFromBytes(name)}","value":"${base64(value)}"}`,
  );
  return `,"extended_attributes":[${items.join(",")}]`;
}

function sortedObjectText(value: Readonly<Record<string, JsonValue>>): string {
  // Go writes the keys of a map in ascending order.
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `"${jsonInner(key)}":${jsonValueText(value[key])}`).join(",")}}`;
}

function contentField(content: readonly string[] | null | undefined): string {
  if (content === null || content === undefined) return ',"content":null';
  return content.length === 0 ? ',"content":[]' : `,"content":["${content.join('","')}"]`;
}

/** The fields that few nodes have, in the order in which restic's struct has them. */
function rareFieldsBeforeContent(node: TreeNode): string {
  let out = "";
  if (node.linktarget !== undefined && node.linktarget !== "") {
    out += linkTargetFields(node.linktarget);
  }
  if (node.extended_attributes !== undefined && node.extended_attributes.length > 0) {
    out += extendedAttributesField(node.extended_attributes);
  }
  if (node.generic_attributes !== undefined && Object.keys(node.generic_attributes).length > 0) {
    out += `,"generic_attributes":${sortedObjectText(node.generic_attributes)}`;
  }
  if (isSet(node.device)) out += `,"device":${node.device}`;
  return out;
}

function unknownFields(unknown: Readonly<Record<string, JsonValue>>): string {
  let out = "";
  for (const [key, value] of Object.entries(unknown)) {
    out += `,"${jsonInner(key)}":${jsonValueText(value)}`;
  }
  return out;
}

/** False for 0 and 0n, which Go's `omitempty` leaves out. */
function isSet(value: number | bigint | undefined): value is number | bigint {
  return value !== undefined && value !== 0 && value !== 0n;
}

/** One node as restic writes it: the same bytes, so that the same tree has the same id. */
export function encodeNode(node: TreeNode): string {
  const type = node.type === "unknown" ? jsonInner(node.type_text ?? "") : node.type;
  let out = `{"name":"${quotedName(node.name)}","type":"${type}"`;
  if (node.mode !== 0) out += `,"mode":${node.mode}`;
  out += `,"mtime":"${node.mtime}","atime":"${node.atime}","ctime":"${node.ctime}"`;
  out += `,"uid":${node.uid},"gid":${node.gid}`;
  if (node.user !== "") out += `,"user":"${textValue(node.user)}"`;
  if (node.group !== "") out += `,"group":"${textValue(node.group)}"`;
  if (isSet(node.inode)) out += `,"inode":${node.inode}`;
  if (isSet(node.device_id)) out += `,"device_id":${node.device_id}`;
  if (isSet(node.size)) out += `,"size":${node.size}`;
  if (node.links !== 0) out += `,"links":${node.links}`;
  out += rareFieldsBeforeContent(node) + contentField(node.content);
  if (node.subtree !== undefined) out += `,"subtree":"${node.subtree}"`;
  if (node.error !== undefined && node.error !== "") out += `,"error":"${textValue(node.error)}"`;
  if (node.unknown !== undefined) out += unknownFields(node.unknown);
  return `${out}}`;
}

/**
 * A tree blob (restic design, "Trees and Data"); its SHA-256 is the tree's id. The nodes must be in
 * ascending order of their raw names already.
 */
export function encodeTree(nodes: readonly TreeNode[]): Buffer<ArrayBuffer> {
  const parts: Buffer<ArrayBuffer>[] = [];
  let text = '{"nodes":[';
  for (let i = 0; i < nodes.length; i++) {
    text += i === 0 ? encodeNode(nodes[i]!) : `,${encodeNode(nodes[i]!)}`;
    if (text.length >= PART_CHARACTERS) {
      parts.push(Buffer.from(text, "utf8"));
      text = "";
    }
  }
  const last = Buffer.from(`${text}]}\n`, "utf8");
  return parts.length === 0 ? last : Buffer.concat([...parts, last]);
}
