import type { Finding } from "@comeback/core";
import {
  type Configuration,
  type PlanSettings,
  referenceText,
  resolveSecret,
  type SecretReference,
} from "@comeback/operations";
import { failedBy, passed } from "./findings.ts";
import type { CheckWish } from "./plan-parts.ts";

/** Mappings whose keys are anybody's: a variable may be called "file". */
const FREE_KEYS = ["environment", "headers", "options", "commands"];

/** Whether every secret that a plan needs, but for those of its destinations, can be had. */
export async function checkSecrets(wish: CheckWish, plan: PlanSettings): Promise<Finding[]> {
  const { context, loaded, parts } = wish;
  const { env, signal } = context;
  const { channels } = loaded.configuration;
  const given: Partial<Configuration["channels"]> = Object.fromEntries(
    plan.notify.map((name) => [name, channels[name]!]),
  );
  const findings: Finding[] = [];
  for (const [what, reference] of [...secretsIn(plan, ""), ...secretsIn(given, "channels")]) {
    try {
      await resolveSecret(reference, { env, commands: parts.commands, signal }, what);
      findings.push(passed(what, `${referenceText(reference)} holds a secret`));
    } catch (error) {
      signal.throwIfAborted();
      findings.push(failedBy(what, error));
    }
  }
  return findings;
}

function secretsIn(value: unknown, path: string): [string, SecretReference][] {
  if (typeof value !== "object" || value === null) return [];
  if (!FREE_KEYS.includes(path.split(".").at(-1) ?? "") && isReference(value)) {
    return [[path, value]];
  }
  return Object.entries(value).flatMap(([key, item]) => {
    // What is of one kind has been sorted into `kind` and `settings`: the file says the kind there.
    const kind: unknown = "kind" in value ? value.kind : undefined;
    const step = key === "settings" && typeof kind === "string" ? kind : key;
    const inner = [path, step].filter((part) => part !== "").join(".");
    return key === "replica" ? [] : secretsIn(item, inner);
  });
}

function isReference(value: object): value is SecretReference {
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return false;
  const [key, given] = entry as [string, unknown];
  if (key === "command") return Array.isArray(given);
  return ["env", "file", "credential"].includes(key) && typeof given === "string";
}
