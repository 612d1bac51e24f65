import type { LocatedEntry, LocatedMapping, LocatedValue } from "./located-value.ts";
import { CHANNEL_KINDS } from "./schema/channel.ts";
import { SOURCE_KINDS } from "./schema/source.ts";

const SECRET_KEYS = ["env", "file", "command", "credential"];

/**
 * Puts `defaults` under each plan, destination, source and channel. Mappings merge deeply, lists and
 * everything else replace. `key: null` (or nothing behind the colon) takes a default away.
 */
export function applyDefaults(root: LocatedMapping): LocatedMapping {
  const defaults = entryMapping(root, "defaults");
  const of = (kind: string): LocatedMapping | undefined =>
    defaults === undefined ? undefined : entryMapping(defaults, kind);
  const ofSource = of("source");
  const withDestinations = mapSection(root, "destinations", (one) => under(of("destination"), one));
  const withChannels = mapSection(withDestinations, "channels", (one) =>
    under(fitting(of("channel"), one, CHANNEL_KINDS), one),
  );
  return mapSection(withChannels, "plans", (one) => {
    const plan = under(of("plan"), one);
    return plan.kind === "mapping"
      ? mapSection(plan, "sources", (source) =>
          under(fitting(ofSource, source, SOURCE_KINDS), source),
        )
      : plan;
  });
}

/** Of what is said for several kinds, only what is for the kind that this one is. */
function fitting(
  defaults: LocatedMapping | undefined,
  own: LocatedValue,
  kinds: readonly string[],
): LocatedMapping | undefined {
  if (defaults === undefined || own.kind !== "mapping") return undefined;
  const entries = [...defaults.entries].filter(
    ([key]) => !kinds.includes(key) || own.entries.has(key),
  );
  return { ...defaults, entries: new Map(entries) };
}

function under(defaults: LocatedValue | undefined, own: LocatedValue): LocatedValue {
  if (defaults?.kind !== "mapping" || own.kind !== "mapping") return own;
  if (isSecretReference(defaults) && isSecretReference(own)) return own;
  const entries = new Map(defaults.entries);
  for (const [key, entry] of own.entries) {
    const before = defaults.entries.get(key);
    if (before === undefined) entries.set(key, entry);
    else if (isNothing(entry.value)) entries.delete(key);
    else
      entries.set(key, { ...entry, value: under(spelledOut(key, before), spelledOut(key, entry)) });
  }
  return { ...own, entries };
}

/** The short forms of what a default says with a mapping, so that the two can meet. */
const LONG_FORMS: Readonly<Record<string, string>> = { files: "paths", schedule: "incremental" };

function spelledOut(key: string, { keyPlace, value }: LocatedEntry): LocatedValue {
  const longForm = LONG_FORMS[key];
  if (longForm === undefined || value.kind === "mapping") return value;
  return {
    kind: "mapping",
    place: value.place,
    entries: new Map([[longForm, { keyPlace, value }]]),
  };
}

function isNothing(value: LocatedValue): boolean {
  return value.kind === "scalar" && value.value === null;
}

/** `{env: X}` in place of `{file: /y}` is another answer, not a second half. */
function isSecretReference({ entries }: LocatedMapping): boolean {
  return entries.size === 1 && [...entries.keys()].every((key) => SECRET_KEYS.includes(key));
}

function entryMapping(mapping: LocatedMapping, key: string): LocatedMapping | undefined {
  const value = mapping.entries.get(key)?.value;
  return value?.kind === "mapping" ? value : undefined;
}

function mapSection(
  mapping: LocatedMapping,
  key: string,
  change: (value: LocatedValue) => LocatedValue,
): LocatedMapping {
  const section = mapping.entries.get(key);
  if (section?.value.kind !== "mapping") return mapping;
  const changed = [...section.value.entries].map(
    ([name, entry]) => [name, { ...entry, value: change(entry.value) }] as const,
  );
  const value = { ...section.value, entries: new Map(changed) };
  return { ...mapping, entries: new Map([...mapping.entries, [key, { ...section, value }]]) };
}
