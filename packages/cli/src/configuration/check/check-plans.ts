import type { Finding } from "@comeback/core";
import { checkDestination } from "./check-destination.ts";
import { checkHost } from "./check-host.ts";
import { checkPrograms } from "./check-programs.ts";
import { checkSecrets } from "./check-secrets.ts";
import { checkSources } from "./check-sources.ts";
import type { CheckWish } from "./plan-parts.ts";

/** What belongs together in a report. */
export interface FindingGroup {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/**
 * Looks whether these plans could run now. Changes nothing, but for what programs that print secrets
 * and commands that mount do. Each destination is opened once, however many plans write it.
 */
export async function checkPlans(
  wish: CheckWish,
  names: readonly string[],
): Promise<FindingGroup[]> {
  const { plans } = wish.loaded.configuration;
  const groups: FindingGroup[] = [{ title: "this host", findings: await checkHost(wish) }];
  const destinations = new Set<string>();
  for (const name of names) {
    const plan = plans[name]!;
    const findings = [
      ...(await checkSources(wish, plan)),
      ...(await checkPrograms(wish, plan)),
      ...(await checkSecrets(wish, plan)),
    ];
    groups.push({ title: `plan ${name}`, findings });
    for (const to of plan.to) destinations.add(to);
    for (const { from, to } of plan.copies) destinations.add(from).add(to);
  }
  const found: Finding[] = [];
  for (const name of destinations) found.push(...(await checkDestination(wish, name)));
  return [...groups, { title: "destinations", findings: found }];
}
