import { Buffer } from "node:buffer";
import {
  byteStringFromBytes,
  byteStringFromText,
  type ByteString,
  damaged,
  type ExtendedAttribute,
} from "@comeback/core";
import { goUnquote } from "./go-quote.ts";
import { boundedJson, isRawJson, parseJsonExactly } from "./exact-json.ts";
import type { JsonValue, TreeNode } from "./types.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:Z|[+-]\d\d:\d\d)$/;
/** What Go makes of a time that is not there. */
const ZERO_TIME = "0001-01-01T00:00:00Z";
const U32_MAX = 0xffff_ffff;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Keys that `TreeNode` has a field for; `path` is never stored. */
const KNOWN_KEYS: ReadonlySet<string> = new Set(
  (
    "name type mode mtime atime ctime uid gid user group inode device_id size links linktarget " +
    "linktarget_raw extended_attributes generic_attributes device content subtree error"
  ).split(" "),
);
const NODE_TYPES: ReadonlySet<string> = new Set(
  "file dir symlink dev chardev fifo socket".split(" "),
);

const ID_CHARACTERS = 64;
const IS_HEX: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-f]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Most of a tree is ids: this takes a third of the time of a regular expression. */
function isId(text: string): boolean {
  if (text.length !== ID_CHARACTERS) return false;
  for (let i = 0; i < ID_CHARACTERS; i++) if (IS_HEX[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** The blobs and the tree that a node names. */
export interface NodeReferences {
  readonly content?: readonly string[] | null | undefined;
  readonly subtree?: string | null | undefined;
}

type RawNode = Readonly<Record<string, unknown>>;

/** Thrown where a double lost digits: the whole tree is then parsed again, exactly. */
const INEXACT: Error = new Error("a number lost digits");

function wrong(why: string): never {
  throw damaged("a tree (directory listing)", why);
}

function optionalText(raw: RawNode, key: string): string {
  const value = raw[key];
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  return wrong(`${key} is not text`);
}

/** The last text that was a time: of a node's three times mostly two or all are the same. */
let lastTime = ZERO_TIME;

function time(raw: RawNode, key: string): string {
  const value = raw[key];
  if (value === lastTime) return lastTime;
  if (typeof value === "string" && TIME.test(value)) return (lastTime = value);
  if (value === undefined || value === null) return ZERO_TIME;
  return wrong(`${key} is not a time`);
}

function unsigned(raw: RawNode, key: string, maximum: number): number {
  const value = raw[key];
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maximum) {
    return value;
  }
  if (value === undefined || value === null) return 0;
  return wrong(`${key} is not a number from 0 to ${maximum}`);
}

function unsigned64(raw: RawNode, key: string): number | bigint {
  const value = raw[key];
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && value >= 0) return value;
    if (value >= 0 && Number.isInteger(value)) throw INEXACT;
  } else if (value === undefined || value === null) {
    return 0;
  } else if (isRawJson(value) && /^\d{1,20}$/.test(value.rawJSON)) {
    const exact = BigInt(value.rawJSON);
    if (exact <= U64_MAX) return exact;
  }
  return wrong(`${key} is not a 64-bit number`);
}

function validName(quoted: unknown): ByteString {
  if (typeof quoted !== "string") return wrong("an entry has no name");
  const name = goUnquote(quoted);
  if (name === undefined) return wrong("a name is quoted wrongly");
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    return wrong(`an entry has the forbidden name ${JSON.stringify(name)}`);
  }
  return name;
}

function bytesFromBase64(value: unknown, what: string): Uint8Array {
  if (value === null || value === undefined) return new Uint8Array(0);
  if (typeof value !== "string") return wrong(`${what} is not base64`);
  const bytes = Buffer.from(value, "base64");
  if (bytes.toString("base64") !== value) return wrong(`${what} is not base64`);
  return new Uint8Array(bytes);
}

function linkTarget(raw: RawNode): ByteString | undefined {
  if (typeof raw["linktarget_raw"] === "string") {
    return byteStringFromBytes(bytesFromBase64(raw["linktarget_raw"], "linktarget_raw"));
  }
  if (raw["linktarget"] === undefined) return undefined;
  return byteStringFromText(optionalText(raw, "linktarget"));
}

function extendedAttributes(value: unknown): ExtendedAttribute[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return wrong("extended_attributes is not a list");
  return value.map((item: unknown): ExtendedAttribute => {
    if (typeof item !== "object" || item === null)
      return wrong("an extended attribute is no object");
    const attribute = item as RawNode;
    return {
      name: byteStringFromText(optionalText(attribute, "name")),
      value: bytesFromBase64(attribute["value"], "an extended attribute's value"),
    };
  });
}

function contentIds(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return wrong("content is not a list");
  for (const id of value as unknown[]) {
    if (typeof id !== "string" || !isId(id)) return wrong("content holds what is no blob id");
  }
  return value as string[];
}

function subtreeId(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || !isId(value)) return wrong("subtree is not a tree id");
  return value;
}

/** A value that is only handed on; `exact` says whether its numbers have been kept exactly. */
function foreign(value: unknown, exact: boolean): JsonValue {
  const bounded = boundedJson(value);
  if (bounded === "too-deep") return wrong("it holds values nested too deeply");
  if (bounded === "inexact" && !exact) throw INEXACT;
  return value as JsonValue;
}

function foreignRecord(value: unknown, exact: boolean): Record<string, JsonValue> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value) || isRawJson(value)) {
    return wrong("generic_attributes is not an object");
  }
  return foreign(value, exact) as Record<string, JsonValue>;
}

/** The keys of the last node that had none but known ones: the next one mostly has the same. */
let knownKeys: readonly string[] = [];

function hasSameKeys(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
}

function unknownKeys(raw: RawNode, exact: boolean): Record<string, JsonValue> | undefined {
  const keys = Object.keys(raw);
  if (hasSameKeys(keys, knownKeys)) return undefined;
  const entries: [string, JsonValue][] = [];
  for (const key of keys) {
    if (!KNOWN_KEYS.has(key)) entries.push([key, foreign(raw[key], exact)]);
  }
  // fromEntries defines own properties: a hostile "__proto__" key stays an ordinary key.
  if (entries.length > 0) return Object.fromEntries(entries);
  knownKeys = keys;
  return undefined;
}

function addRareFields(node: TreeNode, raw: RawNode, exact: boolean): void {
  const target = linkTarget(raw);
  if (target !== undefined && target !== "") node.linktarget = target;
  const attributes = extendedAttributes(raw["extended_attributes"]);
  if (attributes !== undefined) node.extended_attributes = attributes;
  const generic = foreignRecord(raw["generic_attributes"], exact);
  if (generic !== undefined) node.generic_attributes = generic;
  const device = unsigned64(raw, "device");
  if (device !== 0) node.device = device;
  const error = optionalText(raw, "error");
  if (error !== "") node.error = error;
  const unknown = unknownKeys(raw, exact);
  if (unknown !== undefined) node.unknown = unknown;
}

function nodeFromRaw(value: unknown, exact: boolean): TreeNode {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong("an entry is not an object");
  }
  const raw = value as RawNode;
  const type = optionalText(raw, "type");
  const node: TreeNode = {
    name: validName(raw["name"]),
    type: NODE_TYPES.has(type) ? (type as TreeNode["type"]) : "unknown",
    mode: unsigned(raw, "mode", U32_MAX),
    mtime: time(raw, "mtime"),
    atime: time(raw, "atime"),
    ctime: time(raw, "ctime"),
    uid: unsigned(raw, "uid", U32_MAX),
    gid: unsigned(raw, "gid", U32_MAX),
    user: optionalText(raw, "user"),
    group: optionalText(raw, "group"),
    inode: unsigned64(raw, "inode"),
    device_id: unsigned64(raw, "device_id"),
    size: unsigned64(raw, "size"),
    links: unsigned(raw, "links", Number.MAX_SAFE_INTEGER),
    content: contentIds(raw["content"]),
  };
  if (node.type === "unknown") node.type_text = type;
  const subtree = subtreeId(raw["subtree"]);
  if (subtree !== undefined) node.subtree = subtree;
  addRareFields(node, raw, exact);
  return node;
}

function nodeList(value: unknown): readonly unknown[] {
  const list =
    typeof value === "object" && value !== null ? (value as RawNode)["nodes"] : undefined;
  if (list === null) return [];
  if (!Array.isArray(list)) return wrong("it has no list of nodes");
  return list;
}

function nodesFromJson(value: unknown, exact: boolean): TreeNode[] {
  return nodeList(value).map((item: unknown) => nodeFromRaw(item, exact));
}

function parsed(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (cause) {
    throw damaged("a tree (directory listing)", "it is not valid JSON", cause);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/**
 * What the nodes of a tree blob name, checked to be ids, and nothing else of them: two thirds of the
 * time of decoding them.
 */
export function decodeReferences(bytes: Uint8Array): readonly NodeReferences[] {
  const list = nodeList(parsed(() => JSON.parse(textOf(bytes))));
  for (const item of list) {
    if (typeof item !== "object" || item === null) wrong("an entry is not an object");
    const { content, subtree } = item as RawNode;
    contentIds(content);
    subtreeId(subtree);
  }
  return list as readonly NodeReferences[];
}

/**
 * The nodes of a tree blob. Everything in it is taken as hostile: types, ids and names are checked,
 * and a name can never lead out of its directory. The order of the names is not checked here.
 */
export function decodeTree(bytes: Uint8Array): TreeNode[] {
  const text = textOf(bytes);
  const value = parsed(() => JSON.parse(text));
  try {
    return nodesFromJson(value, false);
  } catch (error) {
    if (error !== INEXACT) throw error;
  }
  return nodesFromJson(
    parsed(() => parseJsonExactly(text)),
    true,
  );
}
