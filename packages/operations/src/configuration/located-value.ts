/** One file of the configuration, as it was read. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Where each line begins. */
  readonly lineStarts: readonly number[];
}

/** A part of a file: offsets into its text. */
export interface Place {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** A value of the configuration that knows where it was written. */
export type LocatedValue = LocatedMapping | LocatedList | LocatedScalar;

export interface LocatedMapping {
  readonly kind: "mapping";
  readonly place: Place;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

export interface LocatedEntry {
  readonly keyPlace: Place;
  readonly value: LocatedValue;
}

export interface LocatedList {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly LocatedValue[];
}

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: string | number | boolean | null;
}

export type ValuePath = readonly (string | number)[];

/** As plain data, for the schema. */
export function plainValue(located: LocatedValue): unknown {
  switch (located.kind) {
    case "scalar":
      return located.value;
    case "list":
      return located.items.map(plainValue);
    case "mapping":
      return Object.fromEntries(
        [...located.entries].map(([key, { value }]) => [key, plainValue(value)]),
      );
  }
}

/** What is at a path, and where: the nearest thing above it where nothing is. */
export interface Found {
  readonly value: LocatedValue | undefined;
  readonly place: Place;
  /** Where its key stands, if it has one. */
  readonly keyPlace: Place | undefined;
}

export function findValue(root: LocatedValue, path: ValuePath): Found {
  let value: LocatedValue = root;
  let keyPlace: Place | undefined;
  for (const step of path) {
    if (value.kind === "mapping") {
      const entry = value.entries.get(String(step));
      if (entry === undefined)
        return { value: undefined, place: keyPlace ?? value.place, keyPlace };
      ({ value, keyPlace } = entry);
    } else if (value.kind === "list") {
      const item = value.items[Number(step)];
      if (item === undefined) return { value: undefined, place: value.place, keyPlace };
      value = item;
      keyPlace = undefined;
      // "to: nas" is the list [nas], written shorter.
    } else if (step !== 0) {
      return { value: undefined, place: value.place, keyPlace };
    }
  }
  return { value, place: value.place, keyPlace };
}

export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Line and column, from 1. */
export function positionIn({ lineStarts }: SourceFile, offset: number): [number, number] {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (lineStarts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return [low + 1, offset - lineStarts[low]! + 1];
}
