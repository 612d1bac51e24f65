import { hostname } from "node:os";
import type { Configuration } from "@comeback/operations";

/** Whom plans, snapshots and what is recorded belong to: as configured, or this host's name. */
export function hostOf(configuration: Pick<Configuration, "host"> | undefined): string {
  return configuration?.host ?? hostname();
}
