import { join } from "node:path";
import { type Finished, startProgram } from "../../drivers/run-program.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import type { Podman } from "../podman/podman.ts";

/** Mounts reach into each other, as on a machine: credentials come to units in this way. */
const INIT = "mount --make-rshared / && exec /sbin/init";

/** What takes longer has hung. */
const WAIT_MAX_S = 170;

const CHECKOUT = join(import.meta.dirname, "../../..");

/**
 * A Debian with a real systemd as its first process, in a container of its own without a network. The
 * checkout is there under the path that it has here. It may mount and make namespaces, as a machine
 * may, but not change what belongs to the kernel: /sys and /proc/sys are read-only.
 */
export class DebianMachine {
  readonly #podman: Podman;
  readonly #name: string;

  /** Not booted yet. */
  constructor(podman: Podman, image: string, name: string) {
    this.#podman = podman;
    this.#name = name;
    podman.run(
      "create",
      "--name",
      name,
      "--hostname",
      name,
      "--network",
      "none",
      "--systemd",
      "always",
      "--cap-add",
      "all",
      "--cap-drop",
      "SYS_RESOURCE",
      "--security-opt",
      "seccomp=unconfined",
      "-v",
      `${CHECKOUT}:${CHECKOUT}:ro`,
      image,
      "sh",
      "-c",
      INIT,
    );
  }

  /** Resolves once all that is to run after a boot does. */
  async boot(): Promise<void> {
    this.#podman.run("start", this.#name);
    await waitUntil(`${this.#name} is up`, async () => {
      // In its first moments there is nobody to be asked.
      const { stdout } = await this.#exec(["systemctl", "is-system-running", "--wait"]);
      return ["running", "degraded"].includes(stdout.toString("utf8").trim());
    });
  }

  /** Everything is gone from one moment to the next, but for its disk. */
  cutPower(): void {
    this.#podman.run("kill", "--signal", "KILL", this.#name);
    this.#podman.run("wait", this.#name);
  }

  /** What has to succeed; its standard output. */
  async run(...argv: readonly [string, ...string[]]): Promise<string> {
    return this.#done(argv);
  }

  /** Only root may read it. */
  async write(path: string, text: string): Promise<void> {
    await this.#done(["sh", "-c", 'mkdir -p "${1%/*}"; umask 077; cat >"$1"', "sh", path], text);
  }

  /** Waits in the machine until a line of shell succeeds. */
  async waitUntil(line: string): Promise<void> {
    const limit = ["timeout", `${WAIT_MAX_S}`];
    await this.#done([...limit, "sh", "-c", `until ${line}; do sleep 0.2; done`]);
  }

  /** A property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    return this.run("systemctl", "show", "--value", "-p", name, unit);
  }

  /** Waits until a property of a unit is such. */
  async waitForProperty(unit: string, name: string, pattern: string): Promise<void> {
    const show = `systemctl show --value -p ${name} ${unit}`;
    await this.waitUntil(`${show} | grep -qE -- '${pattern}'`);
  }

  async #done(argv: readonly string[], input = ""): Promise<string> {
    const finished = await this.#exec(argv, input);
    if (finished.exitCode === 0) return finished.stdout.toString("utf8").trim();
    const journal = await this.#exec(["journalctl", "--no-pager", "-n", "60", "-u", "comeback"]);
    throw new Error([finished.describe(), journal.stdout.toString("utf8")].join("\n"));
  }

  #exec(argv: readonly string[], input = ""): Promise<Finished> {
    const env = this.#podman.environment;
    return startProgram("podman", ["exec", "-i", this.#name, ...argv], { env, input }).finished;
  }
}
