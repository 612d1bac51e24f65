import { stringify } from "yaml";
import { isSecretAt } from "./explain-issues.ts";
import { withoutCredentials } from "./hide-secrets.ts";
import type { LoadedConfiguration } from "./load-configuration.ts";
import type { ValuePath } from "./located-value.ts";

type Section = Readonly<Record<string, unknown>>;

/**
 * Plans as they are written, with includes and defaults put in, and the destinations, channels and
 * snapshotters that they name. References stay references, and text that stands where a secret could
 * is left out.
 */
export function resolvedPlan(loaded: LoadedConfiguration, names: readonly string[]): Section {
  const { configuration, merged } = loaded;
  const plans = names.map((name) => configuration.plans[name]!);
  const used = {
    destinations: plans.flatMap(({ to, copies }) => [
      ...to,
      ...copies.flatMap((copy) => [copy.from, copy.to]),
    ]),
    snapshotters: plans.flatMap(({ sources }) =>
      Object.values(sources).flatMap(({ snapshot }) => snapshot ?? []),
    ),
    channels: plans.flatMap(({ notify }) => [...notify]),
    plans: names,
  };
  const sections = Object.entries(used).flatMap(([section, wanted]) => {
    const all = (merged[section] ?? {}) as Section;
    const chosen = Object.entries(all).filter(([name]) => wanted.includes(name));
    return chosen.length === 0 ? [] : [[section, Object.fromEntries(chosen)] as const];
  });
  return withoutSecrets(Object.fromEntries(sections), []) as Section;
}

export function resolvedPlanText(loaded: LoadedConfiguration, names: readonly string[]): string {
  return stringify(resolvedPlan(loaded, names), { aliasDuplicateObjects: false });
}

function withoutSecrets(value: unknown, path: ValuePath): unknown {
  if (Array.isArray(value))
    return value.map((item, place) => withoutSecrets(item, [...path, place]));
  if (typeof value === "object" && value !== null) {
    // Where a secret is may be told.
    if (isReference(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, [...path, key])]),
    );
  }
  if (typeof value !== "string") return value;
  return isSecretAt(path) ? "***" : withoutCredentials(value);
}

function isReference(value: object): boolean {
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return false;
  const [key, given] = entry as [string, unknown];
  const isText = typeof given === "string" || Array.isArray(given);
  return isText && ["env", "file", "command", "credential"].includes(key);
}
