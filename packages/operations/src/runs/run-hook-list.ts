import type { RunOutcome } from "@comeback/core";
import type { HookSettings } from "../configuration/schema/action.ts";
import { type HookFacts, type HookMoment, type HookOutcome, runHooks } from "../hooks/run-hooks.ts";
import type { RunState } from "./run-state.ts";

const LEVELS = { ok: "info", skipped: "info", warning: "warning", failed: "error" } as const;

/** At the end, by how it ended; what was skipped was no success. */
export function momentOf(outcome: RunOutcome): HookMoment {
  if (outcome === "failed") return "failure";
  if (outcome === "skipped") return "always";
  return outcome === "warning" ? "warning" : "success";
}

/** What hooks came to: the worst of them, in words. */
export interface HooksResult {
  readonly outcome: HookOutcome["outcome"];
  readonly message: string | undefined;
}

const RANK = { ok: 0, warning: 1, skipped: 2, failed: 3 } as const;

/** Runs hooks, and logs what each came to. Nothing runs in a dry run. */
export async function runHookList(
  { services, recorder, request, runId }: RunState,
  wish: {
    readonly hooks: readonly HookSettings[];
    readonly when: HookMoment;
    readonly subject?: string;
    readonly facts?: HookFacts;
  },
): Promise<HooksResult> {
  const { hooks, when, subject, facts } = wish;
  let worst: HooksResult = { outcome: "ok", message: undefined };
  if (hooks.length === 0 || request.dryRun) return worst;
  const outcomes = await runHooks({
    hooks,
    when,
    facts: { plan: request.plan, run: runId, source: subject, ...facts },
    services: services.actions,
    clock: services.clock,
    signal: services.signal,
  });
  for (const { description, outcome, message } of outcomes) {
    const text = `hook ${description}: ${message ?? outcome}`;
    recorder.log(LEVELS[outcome], text, { subject });
    if (RANK[outcome] > RANK[worst.outcome]) worst = { outcome, message: text };
  }
  return worst;
}
