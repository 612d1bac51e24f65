import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { configurationJsonSchemaText, configurationReference } from "@comeback/operations";
import { load } from "./scratch.ts";

function reference(name: string): string {
  return fileURLToPath(new URL(`../../../../docs/reference/${name}`, import.meta.url));
}

const REPEAT = "run `node scripts/configuration-docs.ts`";

test("the page and the JSON Schema are what the schema says", () => {
  const page = readFileSync(reference("configuration.md"), "utf8");
  assert.equal(page, configurationReference(), REPEAT);
  const schema = readFileSync(reference("comeback.schema.json"), "utf8");
  assert.deepEqual(JSON.parse(schema), JSON.parse(configurationJsonSchemaText()), REPEAT);
});

test("every key is explained", () => {
  const unexplained = configurationReference()
    .split("\n")
    .filter((line) => /^\| `[^|]*\|[^|]*\|\s*\|$/.test(line));
  assert.deepEqual(unexplained, []);
});

test("every link of the page leads somewhere", () => {
  const page = configurationReference();
  for (const [, anchor] of page.matchAll(/\]\(#([\w-]+)\)/g)) {
    assert.ok(page.includes(`## ${anchor}\n`) || page.includes(`<a id="${anchor}">`));
  }
});

test("the example can be used", async () => {
  const { configuration } = await load(reference("comeback.example.yaml"));
  assert.deepEqual(Object.keys(configuration.plans), ["shop", "node"]);
  assert.equal(configuration.plans["shop"]?.sources["db"]?.expect.shrink.share, 0.3);
});
