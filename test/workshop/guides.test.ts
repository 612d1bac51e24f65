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
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.replace(/\.md$/, ""));
const whole = names.filter((name) => new Guide(name).hasConfiguration);

for (const name of whole) {
  test(`the configuration in docs/guides/${name}.md can be used`, async () => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, new Guide(name).configuration);
    const validateTrigger = (text: string): undefined => void parseTrigger(text);
    const { configuration } = await loadConfiguration({ path, env: {}, signal, validateTrigger });
    assert.ok(Object.keys(configuration.plans).length > 0);
  });
}

test("the four workflows have their guides", () => {
  assert.deepEqual(whole.toSorted(), [
    "full-differential-incremental",
    "postgres-and-folders",
    "proxmox-node",
    "service-with-database",
  ]);
});
