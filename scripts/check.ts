/**
 * `npm run check`: everything a machine can say about the sources without running them.
 * All checks run even when an early one fails, so that one run shows all there is to mend.
 */
import { spawnSync } from "node:child_process";
import { findWallBreaches } from "./walls.ts";

interface Check {
  readonly name: string;
  readonly why: string;
  run(): boolean;
}

/** A program from node_modules/.bin, which npm puts first in PATH. */
function program(name: string, ...args: readonly string[]): () => boolean {
  return () => spawnSync(name, args, { stdio: "inherit" }).status === 0;
}

function walls(): boolean {
  const breaches = findWallBreaches(process.cwd());
  for (const breach of breaches) console.error(breach);
  return breaches.length === 0;
}

const checks: readonly Check[] = [
  { name: "types", why: "tsconfig.json", run: program("tsc", "--project", ".") },
  { name: "lint", why: ".oxlintrc.json", run: program("oxlint", ".") },
  { name: "format", why: "mend with npm run format", run: program("oxfmt", "--check", ".") },
  { name: "walls", why: "scripts/walls.ts", run: walls },
  { name: "dead code", why: "knip.json", run: program("knip", "--no-progress") },
];

let failed = 0;
for (const check of checks) {
  const startedAt = performance.now();
  const passed = check.run();
  if (!passed) failed++;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${passed ? "✔" : "✖"} ${check.name} (${check.why}, ${seconds} s)`);
}
process.exitCode = failed === 0 ? 0 : 1;
