import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";

const IMAGE = "localhost/comeback-test";
/** Runs in containers of other containers, too: no network of its own, low limits, no overlays. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
`;

const LOOKS_MAX = 2_000;

function isAnyoneAtWorkOn(folder: string): boolean {
  return spawnSync("pgrep", ["-f", folder], { stdio: "ignore" }).status === 0;
}

/** A podman whose images and containers are this test file's own, and an image with busybox. */
export class Podman {
  /** What every call of podman needs, ours and that of what is tested. */
  readonly environment: Readonly<Record<string, string>>;

  constructor() {
    // Before the folder goes, which holds what they are made of.
    after(() => {
      this.run("rm", "--all", "--force", "--time", "0");
      // Each container that ends has a program tidy up after it, in its own time.
      for (let looks = 0; looks < LOOKS_MAX && isAnyoneAtWorkOn(folder); looks++);
    });
    const folder = scratchFolder("podman");
    const conf = join(folder, "containers.conf");
    const storage = join(folder, "storage.conf");
    writeFileSync(conf, CONTAINERS_CONF);
    writeFileSync(
      storage,
      `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`,
    );
    this.environment = { CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: storage };
    const programs = makeFolder(folder, "image", "bin");
    copyFileSync("/bin/busybox", join(programs, "busybox"));
    for (const name of ["sh", "sleep", "env"]) symlinkSync("busybox", join(programs, name));
    const tar = join(folder, "image.tar");
    execFileSync("tar", ["-C", join(folder, "image"), "-cf", tar, "."]);
    this.run("import", "-q", tar, IMAGE);
  }

  run(...args: string[]): string {
    const env = { ...process.env, ...this.environment };
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    return execFileSync("podman", args, { env, encoding: "utf8", stdio }).trim();
  }

  /** A container that runs, and takes so long to stop. */
  start(name: string, stopsAfterSeconds = 0): void {
    const line = `trap "sleep ${stopsAfterSeconds}; exit 0" TERM; echo ready; while :; do sleep 1 & wait; done`;
    this.run("run", "-d", "--name", name, IMAGE, "sh", "-c", line);
    // Until the trap is set, it would not end.
    while (!this.run("logs", name).includes("ready"));
  }

  stateOf(name: string): string {
    return this.run("inspect", "--format", "{{.State.Status}}", name);
  }

  startedAt(name: string): string {
    return this.run("inspect", "--format", "{{.State.StartedAt}}", name);
  }
}
