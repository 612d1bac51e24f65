import { fileURLToPath } from "node:url";
import { type TimeZone, timeZoneFor } from "../../src/tree/index.ts";

/** Where a recorded zone file is: the test must not depend on what the machine has installed. */
export function zoneFile(name: string): string {
  return fileURLToPath(new URL(`vectors/zoneinfo/${name.replace("/", "-")}`, import.meta.url));
}

/** A zone as tzdata of 2024 and 2025 has it. */
export function recordedZone(name: string): TimeZone {
  return timeZoneFor(name === "UTC" ? "UTC" : zoneFile(name));
}
