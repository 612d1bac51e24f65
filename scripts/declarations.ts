/** The type declarations of the published library. */
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

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
  const { root, target } = place;
  rmSync(target, { recursive: true, force: true });
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      emitDeclarationOnly: true,
      rootDir: join(root, "packages"),
      outDir: target,
    },
    include: [],
    files: [join(root, "packages/cli/src/library.ts")],
  };
  const project = join(root, "dist/tsconfig.declarations.json");
  writeFileSync(project, JSON.stringify(options));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["--project", project], { stdio: "inherit" });
  rmSync(project);

  const entries = typeEntries(place);
  for (const name of globSync("**/*.d.ts", { cwd: target })) {
    const file = join(target, name);
    const text = readFileSync(file, "utf8")
      .replaceAll(/"(@comeback\/[a-z-]+)"/g, (whole, dependency: string) => {
        const entry = entries.get(dependency);
        if (entry === undefined) return whole;
        const path = relative(dirname(file), entry);
        return `"${path.startsWith(".") ? path : `./${path}`}"`;
      })
      .replaceAll(/(from |import\()"(\.[^"]*?)(\.d)?\.ts"/g, '$1"$2.js"');
    writeFileSync(file, text);
  }
}
