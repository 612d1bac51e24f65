import type { ByteString } from "@comeback/core";
import { getXattr, listXattrs } from "@comeback/platform";
import type { Place } from "./place.ts";

export interface DifferentXattr {
  readonly name: ByteString;
  readonly first: string;
  readonly second: string;
}

/** Extended attributes that are not the same; access lists are among them. */
export function compareXattrs(a: Place, b: Place): DifferentXattr[] {
  const names = new Set([...listXattrs(a), ...listXattrs(b)]);
  const differences: DifferentXattr[] = [];
  for (const name of [...names].sort()) {
    const [first, second] = [text(getXattr(a, name)), text(getXattr(b, name))];
    if (first !== second) differences.push({ name, first, second });
  }
  return differences;
}

function text(value: Uint8Array | undefined): string {
  return value === undefined ? "not there" : `0x${Buffer.from(value).toString("hex")}`;
}
