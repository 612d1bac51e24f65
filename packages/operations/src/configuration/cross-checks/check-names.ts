import { type CheckContext, checkName } from "./check-context.ts";

/** Destinations, channels, snapshotters and sources that are named have to be there. */
export function checkNames(context: CheckContext): void {
  const { plans, destinations, channels, snapshotters } = context.configuration;
  const destinationNames = Object.keys(destinations);
  for (const [name, plan] of Object.entries(plans)) {
    const at = ["plans", name];
    const sources = Object.keys(plan.sources);
    if (sources.length === 0) context.report([...at, "sources"], "a plan needs a source");
    if (plan.to.length === 0) context.report([...at, "to"], "a plan needs a destination");
    for (const [place, to] of plan.to.entries()) {
      const path = [...at, "to", place];
      const isKnown = checkName(context, path, {
        name: to,
        what: "destination",
        names: destinationNames,
      });
      if (isKnown && plan.to.indexOf(to) !== place) context.report(path, `"${to}" is named twice`);
    }
    for (const [place, channel] of plan.notify.entries()) {
      checkName(context, [...at, "notify", place], {
        name: channel,
        what: "channel",
        names: Object.keys(channels),
      });
    }
    for (const [place, source] of (plan.maintenance?.sources ?? []).entries()) {
      checkName(context, [...at, "maintenance", "sources", place], {
        name: source,
        what: "source of this plan",
        names: sources,
      });
    }
    for (const [sourceName, { snapshot }] of Object.entries(plan.sources)) {
      if (snapshot === undefined) continue;
      checkName(context, [...at, "sources", sourceName, "snapshot"], {
        name: snapshot,
        what: "snapshotter",
        names: Object.keys(snapshotters),
      });
    }
  }
}
