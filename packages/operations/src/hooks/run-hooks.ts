import {
  type Clock,
  HOOK_ATTEMPTS_MAX,
  HOOK_RETRY_PAUSE_MS,
  isComebackError,
  messageOf,
} from "@comeback/core";
import type { HookSettings } from "../configuration/schema/action.ts";
import type { ActionServices } from "../undo/undo-services.ts";
import { type ActionFacts, planAction } from "./plan-action.ts";

/** At the end of a run, its hooks of `always` run with those of how it ended. */
export type HookMoment = "start" | "success" | "warning" | "failure" | "always";

/** What a hook is told; names in camel case, values without a secret. */
export type HookFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface HookOutcome {
  /** What was run, for people. */
  readonly description: string;
  readonly outcome: "ok" | "warning" | "failed" | "skipped";
  /** Why it is not ok. */
  readonly message?: string;
  readonly error?: unknown;
  readonly attempts: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface RunHooksOptions {
  readonly hooks: readonly HookSettings[];
  readonly when: HookMoment;
  readonly facts: HookFacts;
  readonly services: ActionServices;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A program's way to say: not today, and that is all right. */
const EXIT_SKIP = 75;

/**
 * Runs those hooks that stand at a moment, one after the other. At the start, one that fails or says
 * that the run is to be skipped is the last one; at the end, all of them run. Rejects only at an
 * abort: what a failure means for the run is the caller's to say.
 */
export async function runHooks(options: RunHooksOptions): Promise<HookOutcome[]> {
  const { hooks, when } = options;
  const isAtEnd = when !== "start";
  const chosen = hooks.filter(({ on }) => on.includes(when) || (isAtEnd && on.includes("always")));
  const outcomes: HookOutcome[] = [];
  for (const hook of chosen) {
    const outcome = await runHook(hook, options);
    outcomes.push(outcome);
    if (!isAtEnd && (outcome.outcome === "failed" || outcome.outcome === "skipped")) break;
  }
  return outcomes;
}

async function runHook(hook: HookSettings, options: RunHooksOptions): Promise<HookOutcome> {
  const { services, clock, signal } = options;
  const startedAtMs = clock.now();
  const triesMax = hook.onError === "retry" ? HOOK_ATTEMPTS_MAX : 1;
  let description: string = hook.kind;
  const facts = factsFor(options);
  for (let attempts = 1; ; attempts++) {
    try {
      const parts = await planAction(hook, services, signal, facts);
      description = parts.map((part) => part.description).join(", ") || description;
      for (const part of parts) await part.perform(signal);
      return { description, outcome: "ok", attempts, startedAtMs, endedAtMs: clock.now() };
    } catch (error) {
      signal.throwIfAborted();
      const isSkip = isComebackError(error) && error.context["exitCode"] === EXIT_SKIP;
      if (!isSkip && attempts < triesMax) {
        await clock.sleep(HOOK_RETRY_PAUSE_MS * 2 ** (attempts - 1), signal);
        continue;
      }
      const outcome = isSkip ? "skipped" : outcomeOf(hook);
      const times = { attempts, startedAtMs, endedAtMs: clock.now() };
      return { description, outcome, message: explain(error), error, ...times };
    }
  }
}

function outcomeOf({ onError }: HookSettings): HookOutcome["outcome"] {
  return onError === "warn" ? "warning" : onError === "skip" ? "skipped" : "failed";
}

function explain(error: unknown): string {
  const why = isComebackError(error) && error.why !== undefined ? `: ${error.why}` : "";
  return messageOf(error) + why;
}

/** `runId` becomes COMEBACK_RUN_ID; and all of it is JSON on the standard input. */
function factsFor({ when, facts }: RunHooksOptions): ActionFacts {
  const known = Object.entries({ event: when, ...facts }).filter(
    ([, value]) => value !== undefined,
  );
  const environment = Object.fromEntries(
    known.map(([name, value]) => [
      `COMEBACK_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      String(value).replaceAll("\0", ""),
    ]),
  );
  return { environment, input: `${JSON.stringify(Object.fromEntries(known))}\n` };
}
