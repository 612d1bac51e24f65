/**
 * The walls between the packages (ARCHITECTURE.md), held by reading every import and manifest.
 *
 * A linter's pattern rules can forbid single names, but not say "a file may import exactly what its
 * own package.json lists, and the manifest may list only what lies below it". That is this:
 * - a manifest's `dependencies` name only packages that the layer may know;
 * - a source file imports only Node's own modules, what its manifest lists, and files of its own
 *   package;
 * - only tests and the testkit itself import the testkit.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What each layer may know of ours. Backends and sources never know each other, nor the engine. */
const layers: readonly { readonly folder: RegExp; readonly mayKnow: readonly RegExp[] }[] = [
  { folder: /^packages\/core$/, mayKnow: [] },
  { folder: /^packages\/platform$/, mayKnow: [/^core$/] },
  { folder: /^packages\/engine$/, mayKnow: [/^core$/, /^platform$/] },
  // rclone is a REST server that we start ourselves.
  {
    folder: /^packages\/backends\/rclone$/,
    mayKnow: [/^core$/, /^platform$/, /^backend-rest$/],
  },
  { folder: /^packages\/backends\/[^/]+$/, mayKnow: [/^core$/, /^platform$/] },
  // What most sources are made of: files whose content is a stream.
  {
    folder: /^packages\/sources\/(?!files$|streams$)[^/]+$/,
    mayKnow: [/^core$/, /^platform$/, /^source-streams$/],
  },
  { folder: /^packages\/sources\/[^/]+$/, mayKnow: [/^core$/, /^platform$/] },
  { folder: /^packages\/(?:catalog|notifiers)$/, mayKnow: [/^core$/, /^platform$/] },
  { folder: /^packages\/operations$/, mayKnow: [/^core$/, /^platform$/, /^engine$/] },
  {
    folder: /^packages\/server$/,
    mayKnow: [/^core$/, /^platform$/, /^engine$/, /^operations$/],
  },
  {
    folder: /^packages\/cli$/,
    mayKnow: [
      /^core$/,
      /^platform$/,
      /^engine$/,
      /^backend-/,
      /^source-/,
      /^catalog$/,
      /^notifiers$/,
      /^operations$/,
      /^server$/,
    ],
  },
  {
    folder: /^packages\/testkit$/,
    mayKnow: [/^core$/, /^platform$/, /^engine$/, /^backend-layers$/],
  },
  { folder: /^(bench|test)$/, mayKnow: [/./] },
];

const importPattern =
  /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

/** Every module that a source text names in an import or re-export. */
export function importsOf(source: string): string[] {
  const withoutBlockComments = source.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [...withoutBlockComments.matchAll(importPattern)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}

function packageNameOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

/** One line for each import or manifest entry that breaks a wall; [] where all hold. */
export function findWallBreaches(root: string): string[] {
  const manifests = globSync(
    ["packages/*/package.json", "packages/*/*/package.json", "{bench,test}/package.json"],
    { cwd: root, exclude: ["**/node_modules/**"] },
  );
  const shared = Object.keys(readManifest(join(root, "package.json")).devDependencies ?? {});
  return manifests.flatMap((path) => breachesOfPackage(root, dirname(path), shared)).toSorted();
}

function breachesOfPackage(root: string, folder: string, shared: readonly string[]): string[] {
  const layer = layers.find((candidate) => candidate.folder.test(folder));
  if (layer === undefined) return [`${folder}: no layer in scripts/walls.ts says what it may know`];
  const manifest = readManifest(join(root, folder, "package.json"));
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const breaches = dependencies
    .filter((name) => name.startsWith("@comeback/"))
    .filter((name) => !layer.mayKnow.some((known) => known.test(name.slice("@comeback/".length))))
    .map((name) => `${folder}/package.json: may not depend on ${name}`);

  const tools = [...Object.keys(manifest.devDependencies ?? {}), ...shared];
  const files = globSync(`${folder}/**/*.ts`, {
    cwd: root,
    exclude: ["**/node_modules/**", "**/dist/**", "**/assembly/**"],
  });
  for (const file of files) {
    const inSource = file.startsWith(`${folder}/src/`);
    const allowed = new Set([manifest.name, ...dependencies, ...(inSource ? [] : tools)]);
    for (const specifier of importsOf(readFileSync(join(root, file), "utf8"))) {
      const problem = problemOf(specifier, join(root, file), join(root, folder), allowed);
      if (problem !== undefined) breaches.push(`${file}: ${problem}`);
    }
  }
  return breaches;
}

function problemOf(
  specifier: string,
  file: string,
  folder: string,
  allowed: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    // The tests of the workshop itself are the only ones that reach across.
    const tools = folder.endsWith(`${sep}test`) ? resolve(folder, "../scripts") : folder;
    if (![folder, tools].some((home) => target.startsWith(home + sep))) {
      return `${specifier} leaves its package`;
    }
    return existsSync(target) ? undefined : `${specifier} does not exist`;
  }
  const name = packageNameOf(specifier);
  return allowed.has(name) ? undefined : `${name} is not in its package.json`;
}
