import { THAW_POLL_MS } from "@comeback/core";
import { eachConcurrently } from "../repository/repository.ts";
import type { Repository } from "../repository/repository.ts";
import { archiveOf, stillWaiting } from "./plan-thaw.ts";
import type { ExecuteThawOptions, ThawPlan, WaitForThawOptions } from "./thaw-options.ts";

/** Asks for every archived pack of the plan. Whom it stops in the middle just plans anew. */
export async function executeThaw(
  repository: Repository,
  plan: ThawPlan,
  options: ExecuteThawOptions,
): Promise<number> {
  const { tier, days, signal } = options;
  const archive = archiveOf(repository);
  let asked = 0;
  await eachConcurrently(plan.archived, repository.backend.connections, async ({ name }) => {
    signal?.throwIfAborted();
    await archive.thaw(name, { tier, days, signal });
    asked++;
    options.onAsked?.(asked);
  });
  return asked;
}

/** Resolves once all packs of the plan can be read. Only those that could not are asked again. */
export async function waitForThaw(
  repository: Pick<Repository, "backend" | "clock">,
  plan: ThawPlan,
  options: WaitForThawOptions = {},
): Promise<void> {
  const { signal } = options;
  const all = [...plan.archived, ...plan.thawing].map(({ name }) => name);
  for (let waiting = all; ;) {
    waiting = await stillWaiting(repository, waiting, { signal });
    options.onLook?.({ readable: all.length - waiting.length, waiting: waiting.length });
    if (waiting.length === 0) return;
    await repository.clock.sleep(THAW_POLL_MS, signal);
  }
}
