import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const documents = globSync("**/*.md", {
  cwd: root,
  exclude: ["**/node_modules/**", "**/dist/**", "**/fixtures/**"],
});

/** What a document links to in this checkout: no other site, no place in the same page. */
function localLinks(document: string): string[] {
  const text = readFileSync(join(root, document), "utf8").replaceAll(/```[\s\S]*?```/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]?.replace(/#.*$/, "") ?? "")
    .filter((link) => link !== "" && !/^[a-z]+:/.test(link));
}

test("every link between the documents leads somewhere", () => {
  assert.ok(documents.includes("README.md"));
  const broken = documents.flatMap((document) =>
    localLinks(document)
      .filter((link) => !existsSync(join(root, dirname(document), link)))
      .map((link) => `${document}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("what the README tells people to run is there", () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
  assert.match(text, /^npm ci && npx comeback try \[DIR\]$/m);
  // .ci/run takes it from there.
  assert.match(text, /^test\/services\/install\.sh && npm run test:all$/m);
});
