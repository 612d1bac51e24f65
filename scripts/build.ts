/**
 * `npm run build`: makes the package that is published, in dist/comeback or where `--target` says.
 *
 * All our packages become one set of plain JavaScript files in one folder: that is what lets
 * `new URL("./worker.js", import.meta.url)` find the worker from wherever it ends up. Code that
 * only some commands need stays in files of its own, so that the others start quickly. What comes
 * from npm stays a dependency.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { writeDeclarations } from "./declarations.ts";

interface Manifest {
  readonly version: string;
  readonly description?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    target: { type: "string", default: "dist/comeback" },
    /** Only what runs: without the types, which take longer than all the rest. */
    "program-only": { type: "boolean", default: false },
  },
});
const target = join(root, values.target);

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
}

/** What the bundled packages need from npm, each once, in their exact versions. */
function dependenciesFromNpm(): Record<string, string> {
  const manifests = globSync(["packages/*/package.json", "packages/*/*/package.json"], {
    cwd: root,
    exclude: ["**/node_modules/**", "packages/testkit/**"],
  });
  const all = manifests.flatMap((path) => Object.entries(readManifest(path).dependencies ?? {}));
  const fromNpm = all.filter(([name]) => !name.startsWith("@comeback/"));
  return Object.fromEntries(fromNpm.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function publishedManifest(dependencies: Readonly<Record<string, string>>): object {
  const { version, description } = readManifest("package.json");
  return {
    name: "comeback",
    version,
    description,
    keywords: ["backup", "restore", "restic", "deduplication", "encryption"],
    license: "Apache-2.0",
    bin: { comeback: "bin/comeback" },
    files: ["bin", "dist", "CHANGELOG.md"],
    type: "module",
    exports: {
      ".": { types: "./dist/types/cli/src/library.d.ts", default: "./dist/library.js" },
      "./package.json": "./package.json",
    },
    dependencies,
    engines: { node: ">=26" },
    os: ["linux"],
    cpu: ["x64", "arm64"],
  };
}

rmSync(target, { recursive: true, force: true });
mkdirSync(join(target, "bin"), { recursive: true });
const dependencies = dependenciesFromNpm();

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: "packages/cli/src/main.ts",
    worker: "packages/engine/src/cpu-pool/worker.ts",
    library: "packages/cli/src/library.ts",
  },
  outdir: join(target, "dist"),
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node26",
  external: Object.keys(dependencies),
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

if (!values["program-only"]) writeDeclarations({ root, target: join(target, "dist/types") });
for (const file of ["README.md", "LICENSE", "CHANGELOG.md"])
  cpSync(join(root, file), join(target, file));
cpSync(join(root, "packages/cli/bin/comeback"), join(target, "bin/comeback"));
writeFileSync(
  join(target, "package.json"),
  `${JSON.stringify(publishedManifest(dependencies), null, 2)}\n`,
);

const outputs = Object.values(metafile.outputs);
const kilobytes = Math.round(outputs.reduce((sum, output) => sum + output.bytes, 0) / 1000);
console.log(`${values.target}: ${outputs.length} JavaScript files, ${kilobytes} kB`);
