import type { Clock, Random } from "@comeback/core";

/** "20261128-020000-4f2a": sorts by time, can be read, said and typed. UTC. */
export function makeRunId({ clock, random }: { clock: Clock; random: Random }): string {
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+Z/g, "");
  const suffix = Buffer.from(random.fill(new Uint8Array(2))).toString("hex");
  return `${time.replace("T", "-")}-${suffix}`;
}
