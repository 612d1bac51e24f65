import type { Clock, Random } from "@comeback/core";

/** So many hosts may start at one second: 40 bits keep ten thousand of them apart for decades. */
const RANDOM_BYTES = 5;

/** "20261128-020000-4f2a9c01d3": sorts by time; its beginning can be read, said and typed. UTC. */
export function makeRunId({ clock, random }: { clock: Clock; random: Random }): string {
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+Z/g, "");
  const suffix = Buffer.from(random.fill(new Uint8Array(RANDOM_BYTES))).toString("hex");
  return `${time.replace("T", "-")}-${suffix}`;
}
