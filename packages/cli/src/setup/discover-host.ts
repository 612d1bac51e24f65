import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { CommandRunner } from "@comeback/core";

/** Something on this host that somebody may want to have back. */
export interface Discovery {
  readonly kind: "folder" | "configuration" | "postgres" | "mariadb" | "volume" | "lvm" | "guest";
  /** Fit to be the name of a source. */
  readonly name: string;
  /** For people: "PostgreSQL on /run/postgresql, port 5432". */
  readonly description: string;
  readonly path?: string;
  /** Below `path`, and not to be protected: the repository itself. */
  readonly exclude?: string;
  /** What it is known by to the program that it belongs to. */
  readonly id?: string;
}

export interface HostView {
  readonly runner: CommandRunner;
  readonly signal: AbortSignal;
  /** The top of the file system; another one in tests. */
  readonly root: string;
}

/** Where data of services and people usually lies. */
const FOLDERS = [
  "/srv",
  "/home",
  "/root",
  "/var/www",
  "/opt",
  "/usr/local",
  "/var/lib/docker/volumes",
];
const LOOK_TIMEOUT_MS = 10_000;

/** Looks around without changing anything; what is not there, or does not answer, is left out. */
export async function discoverHost(view: HostView): Promise<Discovery[]> {
  const found = await Promise.all([
    configuration(view),
    folders(view),
    postgres(view),
    mariadb(view),
    volumes(view, "podman"),
    volumes(view, "docker"),
    logicalVolumes(view),
    guests(view),
  ]);
  return found.flat();
}

async function isNotEmpty(path: string): Promise<boolean> {
  return readdir(path).then(
    (names) => names.length > 0,
    () => false,
  );
}

async function configuration({ root }: HostView): Promise<Discovery[]> {
  if (!(await isNotEmpty(join(root, "/etc")))) return [];
  const description = "this machine's configuration: /etc, packages, disks, network, services";
  return [{ kind: "configuration", name: "configuration", description }];
}

async function folders({ root }: HostView): Promise<Discovery[]> {
  const found: Discovery[] = [];
  for (const path of FOLDERS) {
    if (!(await isNotEmpty(join(root, path)))) continue;
    const name = path.slice(1).replaceAll("/", "-");
    found.push({ kind: "folder", name, description: path, path });
  }
  return found;
}

async function postgres({ root }: HostView): Promise<Discovery[]> {
  const found: Discovery[] = [];
  for (const folder of ["/run/postgresql", "/tmp"]) {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names) {
      const port = /^\.s\.PGSQL\.(\d+)$/.exec(name)?.[1];
      if (port === undefined) continue;
      found.push({
        kind: "postgres",
        name: port === "5432" ? "postgres" : `postgres-${port}`,
        description: `PostgreSQL at ${folder}, port ${port}`,
        path: folder,
        id: port,
      });
    }
  }
  return found;
}

async function mariadb({ root }: HostView): Promise<Discovery[]> {
  for (const socket of ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"]) {
    const there = await stat(join(root, socket)).then(
      (status) => status.isSocket(),
      () => false,
    );
    if (!there) continue;
    return [
      { kind: "mariadb", name: "mariadb", description: `MariaDB at ${socket}`, path: socket },
    ];
  }
  return [];
}

/** The output of a program; `undefined` where it is not there, or fails. */
async function ask(
  { runner, signal }: HostView,
  argv: readonly [string, ...string[]],
): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runner.run({ argv, timeoutMs: LOOK_TIMEOUT_MS, signal });
    return exitCode === 0 ? stdout : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function volumes(view: HostView, engine: "podman" | "docker"): Promise<Discovery[]> {
  const format = "{{.Name}}\t{{.Mountpoint}}";
  const text = await ask(view, [engine, "volume", "ls", "--format", format]);
  return linesOf(text).flatMap((line) => {
    const [name = "", path] = line.split("\t");
    if (name === "" || path === undefined || !path.startsWith("/")) return [];
    return [
      {
        kind: "volume",
        name: fit(`volume-${name}`),
        description: `${engine} volume ${name}`,
        path,
      },
    ];
  });
}

async function logicalVolumes(view: HostView): Promise<Discovery[]> {
  const text = await ask(view, [
    "lvs",
    "--noheadings",
    "--separator",
    "/",
    "-o",
    "vg_name,lv_name",
  ]);
  return linesOf(text).map((id) => ({
    kind: "lvm",
    name: fit(`lvm-${id.replace("/", "-")}`),
    description: `logical volume ${id}`,
    id,
  }));
}

async function guests(view: HostView): Promise<Discovery[]> {
  const [machines, containers] = await Promise.all([
    ask(view, ["qm", "list"]),
    ask(view, ["pct", "list"]),
  ]);
  return [...linesOf(machines), ...linesOf(containers)].flatMap((line) => {
    const id = /^\s*(\d+)\s/.exec(line)?.[1];
    if (id === undefined) return [];
    return [{ kind: "guest", name: `guest-${id}`, description: `Proxmox guest ${id}`, id }];
  });
}

function linesOf(text: string | undefined): string[] {
  return (text ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function fit(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_.-]+/g, "-").slice(0, 63);
}

/** Bytes free where a folder is, or would be. */
export async function freeBytesNear(path: string): Promise<number | undefined> {
  for (let at = path; ; at = join(at, "..")) {
    const found = await statfs(at).catch(() => undefined);
    if (found !== undefined) return found.bavail * found.bsize;
    if (at === "/") return undefined;
  }
}
