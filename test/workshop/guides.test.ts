import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfiguration, parseTrigger } from "@comeback/operations";
import { Guide, GUIDES_FOLDER } from "../drivers/guide.ts";
import { scratchFolder } from "../drivers/scratch.ts";

const folder = scratchFolder("guides");
const { signal } = new AbortController();
const names = readdirSync(GUIDES_FOLDER)
  .filter((name) => name.endsWith(".md") && name !== "README.md")
  .map((name) => name.replace(/\.md$/, ""));

for (const name of names) {
  test(`the configuration in docs/guides/${name}.md can be used`, async () => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, new Guide(name).configuration);
    const validateTrigger = (text: string): undefined => void parseTrigger(text);
    const { configuration } = await loadConfiguration({ path, env: {}, signal, validateTrigger });
    assert.ok(Object.keys(configuration.plans).length > 0);
  });
}

test("the guides are there, and listed", () => {
  assert.ok(names.length > 0);
});
