import type { CopySettings, PlanSettings } from "../schema/plan.ts";
import { type CheckContext, checkName } from "./check-context.ts";

/** Copies lead from what the plan writes, step by step, and never back. */
export function checkCopies(context: CheckContext): void {
  const { plans, destinations } = context.configuration;
  const names = Object.keys(destinations);
  for (const [name, plan] of Object.entries(plans)) {
    let isKnown = true;
    for (const [place, copy] of plan.copies.entries()) {
      const at = ["plans", name, "copies", place];
      for (const end of ["from", "to"] as const) {
        const wish = { name: copy[end], what: "destination", names };
        if (!checkName(context, [...at, end], wish)) isKnown = false;
      }
      for (const [index, source] of (copy.only.sources ?? []).entries()) {
        checkName(context, [...at, "only", "sources", index], {
          name: source,
          what: "source of this plan",
          names: Object.keys(plan.sources),
        });
      }
    }
    if (isKnown) checkGraph(context, name, plan);
  }
}

function checkGraph(context: CheckContext, name: string, plan: PlanSettings): void {
  const reached = reachedFrom(plan);
  for (const [place, copy] of plan.copies.entries()) {
    const at = ["plans", name, "copies", place];
    const cycle = cycleBack(copy, plan.copies);
    if (cycle !== undefined) {
      context.report([...at, "to"], `these copies go round in a circle: ${cycle.join(" → ")}`);
    } else if (plan.to.includes(copy.to)) {
      const why = `every run writes "${copy.to}" already: the copies would be there twice`;
      context.report([...at, "to"], why);
    } else if (!reached.has(copy.from)) {
      const message = `nothing of this plan comes to "${copy.from}"`;
      context.report([...at, "from"], `${message}; there is ${[...reached].join(", ")}`);
    }
    const isTwice = plan.copies.some(
      ({ from, to }, other) => other < place && from === copy.from && to === copy.to,
    );
    if (isTwice) context.report([...at, "to"], `"${copy.from}" to "${copy.to}" is said already`);
  }
}

/** The destinations that get something of a plan. */
function reachedFrom({ to, copies }: PlanSettings): Set<string> {
  const reached = new Set(to);
  // A Set hears of what is added while it is walked.
  for (const name of reached) {
    for (const copy of copies) if (copy.from === name) reached.add(copy.to);
  }
  return reached;
}

/** The way from where a copy goes back to where it comes from, if there is one. */
function cycleBack(copy: CopySettings, copies: readonly CopySettings[]): string[] | undefined {
  const cameFrom = new Map<string, string>([[copy.to, copy.from]]);
  for (const name of cameFrom.keys()) {
    if (name === copy.from) break;
    for (const { from, to } of copies) {
      if (from === name && !cameFrom.has(to)) cameFrom.set(to, name);
    }
  }
  if (!cameFrom.has(copy.from)) return undefined;
  const way = [copy.from];
  let at = copy.from;
  do {
    at = cameFrom.get(at)!;
    way.unshift(at);
  } while (at !== copy.from);
  return way;
}
