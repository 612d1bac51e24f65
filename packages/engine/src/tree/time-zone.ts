import { readFileSync } from "node:fs";
import { type OffsetSpan, offsetByRule, parseZoneRule, type ZoneRule } from "./tz-rule.ts";
import { civilFromDays, daysFromCivil } from "./civil.ts";

/**
 * The writer's time zone, read from the system's zone files as Go reads them. `Date` is not enough:
 * Node carries zone data of its own, which may be of another release than the system's.
 */
const DAY_SECONDS = 86_400;
const ZONE_FOLDERS = [
  "/usr/share/zoneinfo/",
  "/usr/share/lib/zoneinfo/",
  "/usr/lib/locale/TZ/",
  "/etc/zoneinfo/",
];

type ZoneType = { readonly offsetSeconds: number; readonly isDaylight: boolean };

export class TimeZone {
  readonly #types: readonly ZoneType[];
  readonly #transitions: readonly number[];
  readonly #typeOf: Uint8Array;
  readonly #rule: ZoneRule | undefined;
  /** The span that answered last: times of one tree mostly lie close together. */
  #last: OffsetSpan = { offsetSeconds: 0, from: 0, until: 0 };

  constructor(file: ZoneFile) {
    this.#types = file.types;
    this.#transitions = file.transitions;
    this.#typeOf = file.typeOf;
    this.#rule = file.rule;
  }

  /** Seconds east of Greenwich at an instant. */
  offsetAt(seconds: number): number {
    const last = this.#last;
    if (seconds >= last.from && seconds < last.until) return last.offsetSeconds;
    this.#last = this.#spanAt(seconds);
    return this.#last.offsetSeconds;
  }

  #spanAt(seconds: number): OffsetSpan {
    const transitions = this.#transitions;
    const count = transitions.length;
    if (count === 0 && this.#rule === undefined) {
      return { offsetSeconds: this.#firstType().offsetSeconds, from: -Infinity, until: Infinity };
    }
    if (count > 0 && seconds < transitions[0]!) {
      const until = transitions[0]!;
      return { offsetSeconds: this.#firstType().offsetSeconds, from: -Infinity, until };
    }
    let low = 0;
    for (let high = count; high - low > 1;) {
      const middle = (low + high) >>> 1;
      if (transitions[middle]! <= seconds) low = middle;
      else high = middle;
    }
    const from = transitions[low] ?? -Infinity;
    if (low >= count - 1 && this.#rule !== undefined) {
      const { year } = civilFromDays(Math.floor(seconds / DAY_SECONDS));
      const yearStart = daysFromCivil(year, 1, 1) * DAY_SECONDS;
      const span = offsetByRule(this.#rule, year, yearStart, seconds);
      return { ...span, from: Math.max(span.from, from) };
    }
    const type = this.#types[this.#typeOf[low]!]!;
    return { offsetSeconds: type.offsetSeconds, from, until: transitions[low + 1] ?? Infinity };
  }

  /** What holds before the first transition (the same three cases as in localtime.c and Go). */
  #firstType(): ZoneType {
    const types = this.#types;
    if (!this.#typeOf.includes(0)) return types[0]!;
    const firstIndex = this.#typeOf[0];
    if (firstIndex !== undefined && types[firstIndex]!.isDaylight) {
      for (let i = firstIndex - 1; i >= 0; i--) if (!types[i]!.isDaylight) return types[i]!;
    }
    return types.find((type) => !type.isDaylight) ?? types[0]!;
  }
}

type ZoneFile = {
  readonly types: readonly ZoneType[];
  readonly transitions: readonly number[];
  readonly typeOf: Uint8Array;
  readonly rule: ZoneRule | undefined;
};

const UTC_FILE: ZoneFile = {
  types: [{ offsetSeconds: 0, isDaylight: false }],
  transitions: [],
  typeOf: new Uint8Array(0),
  rule: undefined,
};

const HEADER_BYTES = 44;

/** The counts of a TZif header (RFC 8536, section 3.1): isut, isstd, leap, time, type, char. */
function headerCounts(view: DataView, offset: number): number[] {
  return [20, 24, 28, 32, 36, 40].map((at) => view.getUint32(offset + at));
}

/** Reads a zone file (TZif, RFC 8536). Throws RangeError or Error where it is not one. */
export function parseZoneFile(bytes: Uint8Array): ZoneFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x545a6966) throw new Error("not a zone file");
  const wide = view.getUint8(4) >= 0x32;
  let header = 0;
  if (wide) {
    const [isUt = 0, isStd = 0, leap = 0, time = 0, type = 0, char = 0] = headerCounts(view, 0);
    header = HEADER_BYTES + time * 5 + type * 6 + char + leap * 8 + isStd + isUt;
  }
  const [isUt = 0, isStd = 0, leap = 0, time = 0, type = 0, char = 0] = headerCounts(view, header);
  const timeBytes = wide ? 8 : 4;
  const times = header + HEADER_BYTES;
  const indices = times + time * timeBytes;
  const typeTable = indices + time;
  const end = typeTable + type * 6 + char + leap * (timeBytes + 4) + isStd + isUt;
  if (type === 0 || end > bytes.length) throw new Error("a truncated zone file");

  const transitions = Array.from({ length: time }, (_, i) =>
    wide ? Number(view.getBigInt64(times + i * 8)) : view.getInt32(times + i * 4),
  );
  const types = Array.from({ length: type }, (_, i) => ({
    offsetSeconds: view.getInt32(typeTable + i * 6),
    isDaylight: view.getUint8(typeTable + i * 6 + 4) !== 0,
  }));
  const typeOf = bytes.slice(indices, indices + time);
  if (typeOf.some((index) => index >= type)) throw new Error("a damaged zone file");
  const footer = /^\n([^\n]*)\n/.exec(Buffer.from(bytes.subarray(end)).toString("latin1"));
  return { types, transitions, typeOf, rule: wide ? parseZoneRule(footer?.[1] ?? "") : undefined };
}

function zoneFromFile(path: string): TimeZone | undefined {
  try {
    return new TimeZone(parseZoneFile(readFileSync(path)));
  } catch {
    return undefined;
  }
}

/** The zone that a value of `TZ` names, by Go's rules; whatever cannot be read is UTC. */
export function timeZoneFor(variable: string | undefined): TimeZone {
  if (variable === undefined) return zoneFromFile("/etc/localtime") ?? new TimeZone(UTC_FILE);
  const name = variable.startsWith(":") ? variable.slice(1) : variable;
  if (name.startsWith("/")) return zoneFromFile(name) ?? new TimeZone(UTC_FILE);
  if (name !== "" && name !== "UTC") {
    for (const folder of ZONE_FOLDERS) {
      const zone = zoneFromFile(folder + name);
      if (zone !== undefined) return zone;
    }
  }
  return new TimeZone(UTC_FILE);
}

let local: TimeZone | undefined;

/** The zone of this process, read once, as Go does. */
export function localTimeZone(): TimeZone {
  local ??= timeZoneFor(process.env["TZ"]);
  return local;
}
