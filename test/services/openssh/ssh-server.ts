import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import { makeFolder } from "../../drivers/scratch.ts";
import { waitUntil } from "../../drivers/wait-until.ts";

const SSHD = "/usr/sbin/sshd";

export interface SshServerOptions {
  /** Holds its keys and settings; made where it is missing. */
  readonly folder: string;
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
}

/** A throw-away sshd on a free port of the loopback interface, with a host key of its own. */
export class SshServer implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  /** One line of public keys that may log in, each. */
  readonly authorizedKeysPath: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.authorizedKeysPath = join(folder, "authorized_keys");
  }

  static async start(options: SshServerOptions): Promise<SshServer> {
    assert.equal(process.getuid?.(), 0, "sshd logs its users in: run this test as root");
    // What the system's own service would make at its start.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const server = new SshServer(makeFolder(options.folder), await freePort());
    server.makeHostKey();
    writeFileSync(server.authorizedKeysPath, "");
    writeFileSync(join(server.folder, "sshd_config"), server.#settings(options.config ?? []));
    await server.restart();
    after(() => server.stop());
    return server;
  }

  /** A new identity, as after the server's disk was replaced; known from its next start on. */
  makeHostKey(): void {
    const path = join(this.folder, "host_key");
    execFileSync("rm", ["-f", path, `${path}.pub`]);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  }

  /** The line of `known_hosts` that trusts it. */
  get knownHostsLine(): string {
    const [type, key] = readFileSync(join(this.folder, "host_key.pub"), "utf8").split(" ");
    return `[127.0.0.1]:${this.port} ${type} ${key}\n`;
  }

  allow(publicKey: string): void {
    writeFileSync(this.authorizedKeysPath, publicKey, { flag: "a" });
  }

  async restart(): Promise<void> {
    await this.stop();
    const args = ["-D", "-e", "-f", join(this.folder, "sshd_config")];
    this.#child = spawn(SSHD, args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-2000);
    });
    await waitUntil("sshd listens", async () => {
      assert.equal(this.#child?.exitCode, null, `sshd ended: ${said}`);
      return await isListening(this.port);
    });
  }

  /** The server and all its sessions, as in a power cut: nobody says goodbye. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const ended = new Promise((resolve) => child.once("close", resolve));
    for (const pid of withDescendants(child.pid ?? 0)) killIfThere(pid);
    await ended;
  }

  /** Ends all sessions; new ones may come. */
  dropSessions(): number {
    const [, ...sessions] = withDescendants(this.#child?.pid ?? 0);
    for (const pid of sessions) killIfThere(pid);
    return sessions.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #settings(further: readonly string[]): string {
    return [
      `Port ${this.port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${join(this.folder, "host_key")}`,
      `AuthorizedKeysFile ${this.authorizedKeysPath}`,
      "PidFile none",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "UsePAM no",
      "StrictModes no",
      ...(further.some((line) => line.startsWith("Subsystem"))
        ? []
        : ["Subsystem sftp /usr/lib/openssh/sftp-server"]),
      ...further,
      "",
    ].join("\n");
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** A process and all that it started, itself first. */
function withDescendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]));
    } catch {
      // It has ended.
    }
  }
  const found = [pid];
  for (const parent of found) {
    for (const [child, its] of parents) if (its === parent) found.push(child);
  }
  return found;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
