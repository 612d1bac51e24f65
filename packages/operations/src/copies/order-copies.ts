import { ComebackError } from "@comeback/core";
import type { CopySettings } from "../configuration/schema/plan.ts";

/**
 * The copies of a plan in an order in which each finds what it copies: first those from where the
 * plan writes, then those from where these go. A cycle, or a copy from where nothing ever comes, is
 * an error.
 */
export function orderCopies(
  copies: readonly CopySettings[],
  written: readonly string[],
): CopySettings[] {
  const reached = new Set(written);
  const left = new Set(copies);
  const ordered: CopySettings[] = [];
  while (left.size > 0) {
    const ready = [...left].filter(({ from }) => reached.has(from));
    if (ready.length === 0) throw unreachable([...left]);
    for (const copy of ready) {
      left.delete(copy);
      if (reached.has(copy.to)) throw arrivesTwice(copy);
      ordered.push(copy);
    }
    for (const { to } of ready) {
      if (ordered.filter((copy) => copy.to === to).length > 1) throw arrivesTwice({ to });
      reached.add(to);
    }
  }
  return ordered;
}

function unreachable([first]: readonly CopySettings[]): ComebackError {
  return new ComebackError("plan.conflict", `nothing comes to ${first?.from} to be copied`, {
    why: "the plan does not write there, and no other copy leads there, or they lead in a circle",
    next: "begin the chain of copies at one of the plan's own destinations",
  });
}

function arrivesTwice({ to }: Pick<CopySettings, "to">): ComebackError {
  return new ComebackError("plan.conflict", `${to} would get the same snapshots twice`, {
    why: "the plan or another copy writes there already",
    next: "leave one of them out",
  });
}
