import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { configuration } from "@comeback/operations";
import { MemoryCatalog } from "@comeback/testkit";
import { parse } from "yaml";
import { collectMetrics } from "../../src/metrics/collect-metrics.ts";
import { RunCounters } from "../../src/metrics/run-counters.ts";

const DOCS = join(import.meta.dirname, "../../../../docs/reference");

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly for?: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

async function metricNames(): Promise<Set<string>> {
  const metrics = await collectMetrics({
    configuration: configuration.parse({ destinations: {}, plans: {} }),
    catalog: new MemoryCatalog(),
    version: "1",
    nowMs: 0,
    counted: new RunCounters().metrics(),
    isConfigurationCurrent: true,
    nextStartOf: () => undefined,
    undoLeftOver: async () => 0,
  });
  return new Set(metrics.map(({ name }) => name));
}

function namesIn(expression: string): string[] {
  return expression.match(/comeback_[a-z_]+/g) ?? [];
}

const rules = (parse(readFileSync(join(DOCS, "alerts.rules.yml"), "utf8")) as Rules).groups.flatMap(
  (group) => group.rules,
);
const { panels } = JSON.parse(
  readFileSync(join(DOCS, "grafana-dashboard.json"), "utf8"),
) as Dashboard;
const page = readFileSync(join(DOCS, "metrics.md"), "utf8");

test("alerts and panels ask for metrics that exist", async () => {
  const known = await metricNames();
  const expressions = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  assert.ok(expressions.length > 25);
  for (const expression of expressions) {
    const names = namesIn(expression);
    assert.ok(names.length > 0, expression);
    for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`);
  }
});

test("the page about metrics names all of them, and no other", async () => {
  const documented = new Set(
    [...page.matchAll(/^\| `(comeback_[a-z_]+)/gm)].map(([, name]) => name ?? ""),
  );
  assert.deepEqual([...documented].toSorted(), [...(await metricNames())].toSorted());
});

test("alerts are whole: a name of their own, a severity, a summary, balanced brackets", () => {
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, for: wait = "1m", labels, annotations } of rules) {
    assert.match(alert, /^Comeback[A-Z]\w+$/);
    assert.match(labels.severity, /^(?:warning|critical)$/);
    assert.ok(annotations.summary.length > 20, alert);
    assert.match(wait, /^\d+[mhd]$/);
    assert.equal(expr.split("(").length, expr.split(")").length, alert);
  }
});

test("no two panels lie on each other", () => {
  const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
  assert.equal(new Set(places).size, panels.length);
  assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
});
