import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";

/** Runs in containers of other containers, too: no network of its own, low limits. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
`;

/** Made by test/services/debian/install.sh. */
const DEBIAN = join(import.meta.dirname, "../../../.services/debian/root.tar");

const LOOKS_MAX = 2_000;

function isAnyoneAtWorkOn(folder: string): boolean {
  return spawnSync("pgrep", ["-f", folder], { stdio: "ignore" }).status === 0;
}

/** Layers are copied where they cannot be laid over each other: in a container, for one. */
function layersBy(folder: string): "overlay" | "vfs" {
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) =>
    makeFolder(folder, "probe", name),
  );
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const mount = ["-t", "overlay", "overlay", "-o", options, merged ?? ""];
  if (spawnSync("mount", mount, { stdio: "ignore" }).status !== 0) return "vfs";
  execFileSync("umount", [merged ?? ""]);
  return "overlay";
}

/** A podman whose images and containers are this test file's own. */
export class Podman {
  /** What every call of podman needs, ours and that of what is tested. */
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;

  constructor() {
    // Before the folder goes, which holds what they are made of.
    after(() => {
      this.run("rm", "--all", "--force", "--volumes", "--time", "0");
      this.run("volume", "rm", "--all", "--force");
      // Each container that ends has a program tidy up after it, in its own time.
      for (let looks = 0; looks < LOOKS_MAX && isAnyoneAtWorkOn(folder); looks++);
      spawnSync("umount", [`${folder}/root/overlay`], { stdio: "ignore" });
    });
    const folder = scratchFolder("podman");
    this.folder = folder;
    const conf = join(folder, "containers.conf");
    const storage = join(folder, "storage.conf");
    writeFileSync(conf, `${CONTAINERS_CONF}volume_path = "${folder}/volumes"\n`);
    writeFileSync(
      storage,
      `[storage]\ndriver = "${layersBy(folder)}"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`,
    );
    mkdirSync(join(folder, "tmp"));
    this.environment = {
      CONTAINERS_CONF: conf,
      CONTAINERS_STORAGE_CONF: storage,
      TMPDIR: join(folder, "tmp"),
    };
  }

  run(...args: string[]): string {
    const env = { ...process.env, ...this.environment };
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    return execFileSync("podman", args, { env, encoding: "utf8", stdio }).trim();
  }

  /** An image of a folder with all that is in it, or of a file that tar has made of one. */
  import(from: string, image: string): void {
    let tar = from;
    if (!from.endsWith(".tar")) {
      tar = join(this.folder, "image.tar");
      execFileSync("tar", ["-C", from, "-cf", tar, "."]);
    }
    this.run("import", "-q", tar, image);
  }

  /** Debian 12 with systemd, under this name. */
  importDebian(image: string): void {
    if (!existsSync(DEBIAN)) throw new Error("run test/services/debian/install.sh first");
    this.import(DEBIAN, image);
  }

  stateOf(name: string): string {
    return this.run("inspect", "--format", "{{.State.Status}}", name);
  }

  startedAt(name: string): string {
    return this.run("inspect", "--format", "{{.State.StartedAt}}", name);
  }
}

const BUSYBOX = "localhost/comeback-test";

/** A podman with an image of busybox alone, which is made in a blink. */
export class PodmanWithBusybox extends Podman {
  constructor() {
    super();
    const image = join(this.folder, "image");
    const programs = makeFolder(image, "bin");
    copyFileSync("/bin/busybox", join(programs, "busybox"));
    for (const name of ["sh", "sleep", "env"]) symlinkSync("busybox", join(programs, name));
    this.import(image, BUSYBOX);
  }

  /** A container that runs, and takes so long to stop. */
  start(name: string, stopsAfterSeconds = 0): void {
    const line = `trap "sleep ${stopsAfterSeconds}; exit 0" TERM; echo ready; while :; do sleep 1 & wait; done`;
    this.run("run", "-d", "--name", name, BUSYBOX, "sh", "-c", line);
    // Until the trap is set, it would not end.
    while (!this.run("logs", name).includes("ready"));
  }
}
