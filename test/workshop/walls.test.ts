import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { findWallBreaches, importsOf } from "../../scripts/walls.ts";

/** The breaches in a workspace that consists of these files. */
function breachesIn(files: Readonly<Record<string, unknown>>): string[] {
  const root = mkdtempSync(join(tmpdir(), "comeback-walls-"));
  try {
    for (const [path, content] of Object.entries({
      "package.json": { devDependencies: { "fast-check": "1.0.0" } },
      ...files,
    })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      const text = typeof content === "string" ? content : JSON.stringify(content);
      writeFileSync(join(root, path), text);
    }
    return findWallBreaches(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const core = { "packages/core/package.json": { name: "@comeback/core" } };
const engine = {
  ...core,
  "packages/engine/package.json": {
    name: "@comeback/engine",
    dependencies: { "@comeback/core": "0.1.0" },
    devDependencies: { "@comeback/testkit": "0.1.0" },
  },
};

test("the walls of this checkout hold", () => {
  assert.deepEqual(findWallBreaches(join(import.meta.dirname, "../..")), []);
});

test("every form of import is seen, comments and strings are not", () => {
  // Not as one literal: this file's own imports are looked at too.
  const quoted = '"seven"';
  const source = [
    'import { a } from "one";',
    'import type { b } from "two";',
    "import {",
    "  c,",
    '} from "three";',
    'export * from "four";',
    'export { d } from "five";',
    'import "six";',
    `const e = await import(${quoted});`,
    '// import "no";',
    '/*\nimport "no";\n*/',
    "const text = 'import \"no\"';",
  ].join("\n");
  assert.deepEqual(importsOf(source).toSorted(), [
    "five",
    "four",
    "one",
    "seven",
    "six",
    "three",
    "two",
  ]);
});

test("a source may import its own files, Node, and what its manifest lists", () => {
  const files = {
    ...engine,
    "packages/engine/src/a.ts":
      'import "node:fs";\nimport "./b.ts";\nimport { x } from "@comeback/core";\n',
    "packages/engine/src/b.ts": "export const x = 1;\n",
    "packages/engine/test/a.test.ts":
      'import "fast-check";\nimport "@comeback/testkit";\nimport "../src/a.ts";\n',
  };
  assert.deepEqual(breachesIn(files), []);
});

test("each breach is named with its file", () => {
  const files = {
    ...engine,
    "packages/engine/src/a.ts":
      'import "@comeback/testkit";\nimport "fast-check";\nimport "../../core/src/x.ts";\nimport "./gone.ts";\nimport "fs";\n',
    "packages/backends/tape/package.json": {
      name: "@comeback/backend-tape",
      dependencies: { "@comeback/engine": "0.1.0" },
    },
    "packages/surprise/package.json": { name: "@comeback/surprise" },
  };
  assert.deepEqual(breachesIn(files), [
    "packages/backends/tape/package.json: may not depend on @comeback/engine",
    "packages/engine/src/a.ts: ../../core/src/x.ts leaves its package",
    "packages/engine/src/a.ts: ./gone.ts does not exist",
    "packages/engine/src/a.ts: @comeback/testkit is not in its package.json",
    "packages/engine/src/a.ts: fast-check is not in its package.json",
    "packages/engine/src/a.ts: fs is not in its package.json",
    "packages/surprise: no layer in scripts/walls.ts says what it may know",
  ]);
});
