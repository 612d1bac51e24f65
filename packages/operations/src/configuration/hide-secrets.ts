import { configurationJsonSchema, definitionOf, type JsonSchema } from "./json-schema.ts";

/** A part of a line. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A key and where its value begins; also in the middle of a line. */
const KEY = /([^\s:{}[\],"'][^:{}[\],"'\n]*)["']?\s*:(?:\s+|$)/g;
/** A key whose name says that its value is secret, whatever the schema says of it. */
const SECRET_NAME = /pas+w|pass|pwd|secret|token|key|credential|auth|sas|dsn|signature/i;
/** A mapping is told by its own keys, and says where a secret is at most. */
const IS_MAPPING = /^(?:&[\w-]+\s+)?(?:\{|$|#)/;
const URL_CREDENTIALS = /\/\/[^/\s@]*@/g;
const URL_QUERY = /\?[^\s"']+/g;
/** Addresses in a list are those of services that take whoever knows them. */
const LISTED_URL = /^\s*-\s+["']?\w+:\/\//;

/** Keys that stand before a secret wherever they are allowed to. */
const SECRET_DEFINITIONS = ["secret", "text-or-secret"];
let open: ReadonlySet<string> | undefined;

/** Keys of the schema whose values may be shown: never those of a name with a typing error. */
function openKeys(): ReadonlySet<string> {
  if (open !== undefined) return open;
  const secret = new Set<string>();
  const all = new Set<string>();
  const visit = (schema: JsonSchema): void => {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      all.add(key);
      if (mayBeSecret(value)) secret.add(key);
      visit(value);
    }
    const { additionalProperties, items, anyOf = [] } = schema;
    if (typeof additionalProperties === "object") visit(additionalProperties);
    if (items !== undefined) visit(items);
    anyOf.forEach(visit);
  };
  visit(configurationJsonSchema());
  Object.values(configurationJsonSchema().$defs ?? {}).forEach(visit);
  return (open = all.difference(secret));
}

function mayBeSecret(schema: JsonSchema): boolean {
  const name = definitionOf(schema) ?? "";
  if (SECRET_DEFINITIONS.includes(name)) return true;
  const { additionalProperties, items, anyOf = [] } = schema;
  const inner = [...anyOf, ...(items === undefined ? [] : [items])];
  if (typeof additionalProperties === "object") inner.push(additionalProperties);
  return inner.some(mayBeSecret);
}

/**
 * The parts of a line of the configuration that must not be shown. Rather too much than too little:
 * a person has the file, and only needs to find the place.
 */
export function hiddenRanges(line: string, alsoHidden: Range): Range[] {
  const ranges: Range[] = [alsoHidden];
  const open = openKeys();
  for (const match of line.matchAll(KEY)) {
    const from = match.index + match[0].length;
    const name = match[1]!.replace(/^[-?]\s+/, "").trim();
    const isOpen = open.has(name) && !SECRET_NAME.test(name);
    if (isOpen || IS_MAPPING.test(line.slice(from))) continue;
    // A flow mapping may go on behind it; a secret may hold a comma as well.
    ranges.push({ from, to: line.length });
  }
  for (const match of line.matchAll(URL_CREDENTIALS)) {
    ranges.push({ from: match.index + 2, to: match.index + match[0].length - 1 });
  }
  for (const match of line.matchAll(URL_QUERY)) {
    ranges.push({ from: match.index + 1, to: match.index + match[0].length });
  }
  const listed = LISTED_URL.exec(line);
  if (listed !== null) ranges.push({ from: listed[0].length, to: line.length });
  return joined(ranges);
}

/** Text of one value, as it may be shown. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(URL_CREDENTIALS, "//…@").replaceAll(URL_QUERY, "?…");
}

function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last === undefined || range.from > last.to) result.push(range);
    else result[result.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return result.filter(({ from, to }) => to > from);
}
