/**
 * `npm run lockfile`: brings package-lock.json up to date with the manifests, complete.
 *
 * Tools with native parts name one optional package for each platform. Where a registry (a mirror,
 * a proxy) does not have those of platforms that nobody there runs, npm leaves them out of the
 * lockfile, and then `npm ci` refuses the lockfile as incomplete. This enters them by name, version
 * and platform, which is all that npm needs in order to pass over them.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly cpu?: readonly string[];
  readonly dev?: boolean;
  readonly libc?: readonly string[];
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lockfile {
  packages: Record<string, LockedPackage>;
}

export interface Missing {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/** Optional packages that are asked for in one exact version and have no entry. */
export function missingPackages(lockfile: Lockfile): Missing[] {
  const named = Object.values(lockfile.packages).flatMap((from) =>
    Object.entries(from.optionalDependencies ?? {}).map(([name, version]) => ({
      name,
      version,
      dev: from.dev ?? false,
    })),
  );
  return named
    .filter(({ name }) => !(`node_modules/${name}` in lockfile.packages))
    .filter(({ version }) => /^\d/.test(version));
}

/** The operating system, processor and C library that such a package's name ends with. */
export function platformOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } {
  const tail = name.slice(name.lastIndexOf("/") + 1).replace(/^binding-/, "");
  const [os = "", cpu = "", abi] = tail.split("-");
  const platform = { os: [os], cpu: [cpu] };
  if (abi?.startsWith("gnu") === true && os === "linux") return { ...platform, libc: ["glibc"] };
  if (abi?.startsWith("musl") === true) return { ...platform, libc: ["musl"] };
  return platform;
}

export function readLockfile(root: string): Lockfile {
  return JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lockfile;
}

function complete(root: string): void {
  execFileSync("npm", ["install", "--package-lock-only"], { cwd: root, stdio: "inherit" });
  const lockfile = readLockfile(root);
  for (const { name, version, dev } of missingPackages(lockfile)) {
    const { os, cpu, libc } = platformOf(name);
    // In the order in which npm itself writes them, so that its next run changes nothing.
    lockfile.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os,
    };
  }
  const byPath = Object.entries(lockfile.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  lockfile.packages = Object.fromEntries(byPath);
  writeFileSync(join(root, "package-lock.json"), `${JSON.stringify(lockfile, null, 2)}\n`);
}

if (import.meta.main) complete(process.cwd());
