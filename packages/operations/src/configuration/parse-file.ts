import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type Pair,
  visit,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { CONFIGURATION_DEPTH_MAX, CONFIGURATION_VALUES_MAX, messageOf } from "@comeback/core";
import {
  type LocatedEntry,
  type LocatedMapping,
  type LocatedValue,
  type Place,
  positionIn,
  type SourceFile,
} from "./located-value.ts";
import type { Problem } from "./problems.ts";

export interface ParsedFile {
  /** Missing where the file is no mapping at all. */
  readonly root: LocatedMapping | undefined;
  readonly problems: readonly Problem[];
}

/** Reads YAML 1.2, with anchors, and with "<<" as in 1.1. */
export function parseConfigurationFile(file: SourceFile): ParsedFile {
  const problems: Problem[] = [];
  const whole: Place = { file, start: 0, end: Math.min(1, file.text.length) };
  let document: Document.Parsed;
  try {
    document = parseDocument(file.text, {
      prettyErrors: false,
      schema: "core",
      version: "1.2",
      // Its own look for keys that stand twice takes the square of their number.
      uniqueKeys: false,
    });
  } catch (error) {
    // The parser runs out of stack where brackets are nested by the thousand.
    const message = `this cannot be read as YAML: ${messageOf(error)}`;
    return { root: undefined, problems: [{ place: whole, message }] };
  }
  for (const { message, pos } of independent(document)) {
    const place = placeAt(file, pos[0], pos[1]);
    // Behind a colon the parser quotes what it found, which may be a secret.
    const [said = ""] = message.split(/: |\n/, 1);
    const hiddenFrom = hiddenFromOf(place);
    problems.push({ place, message: `this is not right in YAML: ${said}`, hiddenFrom });
  }
  if (problems.length > 0) return { root: undefined, problems };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { root: undefined, problems: [{ place: whole, message: "the file is empty" }] };
  }
  const reader = new ValueReader(file, document, problems);
  const root = reader.read(contents);
  if (root !== undefined && root.kind !== "mapping") {
    const message = `found ${root.kind === "list" ? "a list" : "text"}; a mapping with plans and destinations is wanted`;
    problems.push({ place: root.place, message });
  }
  return { root: root?.kind === "mapping" ? root : undefined, problems };
}

/** After the first thing that is no YAML, most of what else the parser says follows from that. */
function independent({ errors, warnings }: Document.Parsed): readonly YAMLError[] {
  return [...errors.slice(0, 1), ...warnings];
}

/** A line without a key is the rest of a value, and nobody knows of which. */
function hiddenFromOf({ file, start }: Place): number | undefined {
  const [line] = positionIn(file, start);
  const lineStart = file.lineStarts[line - 1]!;
  const text = file.text.slice(lineStart, file.lineStarts[line] ?? file.text.length);
  return /:(?:\s|$)/.test(text) ? undefined : lineStart;
}

function placeAt(file: SourceFile, start: number, end: number): Place {
  const last = Math.max(0, file.text.length - 1);
  const from = Math.min(Math.max(0, start), last);
  return { file, start: from, end: Math.max(from, Math.min(end, file.text.length)) };
}

/** Turns nodes into values that know their places, with anchors followed and bounds kept. */
class ValueReader {
  readonly #file: SourceFile;
  readonly #problems: Problem[];
  readonly #targets = new Map<Alias, Node>();
  readonly #active = new Set<Node>();
  #count = 0;

  constructor(file: SourceFile, document: Document.Parsed, problems: Problem[]) {
    this.#file = file;
    this.#problems = problems;
    // An alias means the last anchor of its name before it: one pass finds them all.
    const anchors = new Map<string, Node>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) {
          const target = anchors.get(node.source);
          if (target !== undefined) this.#targets.set(node, target);
        } else if (node.anchor !== undefined) {
          anchors.set(node.anchor, node);
        }
      },
    });
  }

  read(node: Node | null): LocatedValue | undefined {
    const place = this.#placeOf(node);
    if (this.#count > CONFIGURATION_VALUES_MAX) return undefined;
    if (++this.#count > CONFIGURATION_VALUES_MAX) {
      return this.#problem(
        place,
        `there are more than ${CONFIGURATION_VALUES_MAX} values here, aliases counted as what they stand for`,
      );
    }
    if (isAlias(node)) return this.#readAlias(node, place);
    if (node === null) return { kind: "scalar", place, value: null };
    if (isScalar(node)) return this.#readScalar(node.value, place);
    if (this.#active.size >= CONFIGURATION_DEPTH_MAX) {
      return this.#problem(place, `this is nested deeper than ${CONFIGURATION_DEPTH_MAX} levels`);
    }
    this.#active.add(node);
    try {
      if (isSeq(node)) {
        const items = node.items.flatMap((item) => this.read(item as Node | null) ?? []);
        return { kind: "list", place, items };
      }
      return isMap(node) ? this.#readMapping(node, place) : undefined;
    } finally {
      this.#active.delete(node);
    }
  }

  #readAlias(alias: Alias, place: Place): LocatedValue | undefined {
    const target = this.#targets.get(alias);
    if (target === undefined) {
      return this.#problem(
        place,
        "no anchor of this name stands before this; text that begins with * has to be quoted",
      );
    }
    if (this.#active.has(target)) return this.#problem(place, "this alias holds itself");
    return this.read(target);
  }

  #readScalar(value: unknown, place: Place): LocatedValue | undefined {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) {
      return { kind: "scalar", place, value: value as string | number | boolean | null };
    }
    return this.#problem(place, "text, a number, true or false is wanted here");
  }

  #readMapping(map: YAMLMap, place: Place): LocatedMapping {
    const own = new Map<string, LocatedEntry>();
    const merged = new Map<string, LocatedEntry>();
    for (const pair of map.items) {
      if (!isPair(pair)) continue;
      const { key, value } = pair as Pair<Node | null, Node | null>;
      const keyPlace = this.#placeOf(key);
      const name = this.#nameOf(key, keyPlace);
      if (name === undefined) continue;
      const read = value === null ? nothing(keyPlace) : this.read(value);
      if (read === undefined) continue;
      if (name !== "<<") {
        if (own.has(name)) this.#problem(keyPlace, `"${name}" stands here twice`);
        own.set(name, { keyPlace, value: read });
      } else
        for (const [inner, entry] of this.#mergedEntries(read)) {
          if (!merged.has(inner)) merged.set(inner, entry);
        }
    }
    return { kind: "mapping", place, entries: new Map([...merged, ...own]) };
  }

  #nameOf(key: Node | null, place: Place): string | undefined {
    const target = isAlias(key) ? this.#targets.get(key) : key;
    const value: unknown = isScalar(target) ? target.value : undefined;
    if (value === undefined || value === null) {
      return this.#problem(place, "a key is one word, not a list or mapping");
    }
    // Not a name that JavaScript's objects could hold.
    if (value === "__proto__") return this.#problem(place, "this cannot be a key");
    return isScalar(target) && target.source !== undefined && typeof value !== "string"
      ? target.source
      : `${value as string | number | boolean}`;
  }

  #mergedEntries(value: LocatedValue): [string, LocatedEntry][] {
    if (value.kind === "mapping") return [...value.entries];
    if (value.kind === "list" && value.items.every(({ kind }) => kind === "mapping")) {
      return value.items.flatMap((item) => this.#mergedEntries(item));
    }
    this.#problem(value.place, "behind << stands an alias of a mapping, or a list of them");
    return [];
  }

  #placeOf(node: Node | null): Place {
    const range = node?.range;
    return range === undefined || range === null
      ? placeAt(this.#file, 0, 1)
      : placeAt(this.#file, range[0], range[1]);
  }

  #problem(place: Place, message: string): undefined {
    this.#problems.push({ place, message });
  }
}

/** "mount:" with nothing behind it. */
function nothing(place: Place): LocatedValue {
  return { kind: "scalar", place, value: null };
}
