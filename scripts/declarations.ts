/** The type declarations of the published library. */
import { execFileSync } from "node:child_process";
import { globSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { importsOf } from "./walls.ts";

interface Place {
  readonly root: string;
  /** Folder to write to; it takes the shape of packages/. */
  readonly target: string;
}

/** Where the types of each of our packages begin, by its name. */
function typeEntries({ root, target }: Place): Map<string, string> {
  const manifests = globSync(["packages/*/package.json", "packages/*/*/package.json"], {
    cwd: root,
    exclude: ["**/node_modules/**"],
  });
  return new Map(
    manifests.map((path) => {
      const { name } = JSON.parse(readFileSync(join(root, path), "utf8")) as { name: string };
      return [name, join(target, relative("packages", dirname(path)), "src/index.d.ts")];
    }),
  );
}

/**
 * Lets the compiler write the declarations, then turns imports between our packages, which do not
 * exist under their names for whoever installs the product, into relative ones.
 */
export function writeDeclarations(place: Place): void {
  const { target } = place;
  rmSync(target, { recursive: true, force: true });
  compile(place);
  const entries = typeEntries(place);
  for (const name of globSync("**/*.d.ts", { cwd: target })) {
    const file = join(target, name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, withRelativeImports(text, dirname(file), entries));
  }
  const reached = reachedFrom(join(target, "cli/src/library.d.ts"));
  for (const name of globSync("**/*.d.ts", { cwd: target })) {
    if (!reached.has(join(target, name))) rmSync(join(target, name));
  }
  removeEmptyFolders(target);
}

function compile({ root, target }: Place): void {
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      rootDir: join(root, "packages"),
      outDir: target,
    },
    // All of them: what is reached only through node_modules is not written.
    include: [join(root, "packages/*/src"), join(root, "packages/*/*/src")],
    // AssemblyScript is another compiler's dialect.
    exclude: [join(root, "packages/testkit"), join(root, "packages/*/src/**/assembly")],
  };
  const project = join(root, "dist/tsconfig.declarations.json");
  writeFileSync(project, JSON.stringify(options));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["--project", project], { stdio: "inherit" });
  rmSync(project);
}

function withRelativeImports(
  text: string,
  folder: string,
  entries: ReadonlyMap<string, string>,
): string {
  return text
    .replaceAll(/"(@comeback\/[a-z-]+)"/g, (whole, name: string) => {
      const entry = entries.get(name);
      return entry === undefined ? whole : `"${relative(folder, entry)}"`;
    })
    .replaceAll(/(\bfrom |\bimport\()"(\.[^"]*?)(?:\.d)?\.ts"/g, '$1"$2.js"');
}

/** A declaration file and all that it names, directly or not. */
function reachedFrom(entry: string): Set<string> {
  const reached = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const name of importsOf(readFileSync(file, "utf8"))) {
      if (name.startsWith("."))
        waiting.push(resolve(dirname(file), name.replace(/\.js$/, ".d.ts")));
    }
  }
  return reached;
}

function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
