import type { Configuration } from "@comeback/operations";

/**
 * What plans do that takes all rights of root, each in a few words; [] where it is enough to read
 * everything. A hook that needs more cannot be seen from here: it is told with `--privileged`.
 */
export function neededPrivileges(configuration: Configuration): string[] {
  const reasons = new Set<string>();
  if (Object.keys(configuration.snapshotters).length > 0) reasons.add("volumes are snapshotted");
  for (const { mount } of Object.values(configuration.destinations)) {
    if (mount?.command !== undefined) reasons.add("destinations are mounted");
  }
  for (const { requires, maintenance, hooks } of Object.values(configuration.plans)) {
    if (requires.some(({ command }) => command !== undefined)) reasons.add("sources are mounted");
    const actions = [...(maintenance?.enter ?? []), ...(maintenance?.leave ?? []), ...hooks];
    // podman has no daemon: what is started here would have the rights that this service has.
    if (actions.some(({ kind }) => kind === "container")) reasons.add("containers are started");
  }
  return [...reasons];
}
