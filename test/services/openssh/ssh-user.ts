import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../drivers/scratch.ts";
import type { SshServer } from "./ssh-server.ts";

/**
 * Someone who logs in by ssh: a key, known hosts, and a configuration. OpenSSH takes the home
 * folder from the system's accounts and not from $HOME, so that `~/.ssh/config` cannot be moved;
 * this one's `ssh`, first in its PATH, is the system's with `-F`, which jump hosts inherit.
 */
export class SshUser {
  readonly folder: string;
  readonly keyPath: string;
  readonly configPath: string;
  readonly knownHostsPath: string;
  readonly #programs: string;

  constructor(folder: string, passphrase = "") {
    this.folder = makeFolder(folder);
    this.keyPath = join(folder, "id_ed25519");
    this.configPath = join(folder, "config");
    this.knownHostsPath = join(folder, "known_hosts");
    this.#programs = makeFolder(folder, "bin");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", this.keyPath]);
    writeFileSync(this.knownHostsPath, "");
    writeFileSync(this.configPath, "");
    writeSsh(this.#programs, `-F '${this.configPath}'`);
  }

  /** For someone who has never seen a server. */
  get strangerPath(): string {
    const folder = makeFolder(this.folder, "stranger");
    writeSsh(folder, "-F /dev/null -o UserKnownHostsFile=/dev/null -o BatchMode=yes");
    return `${folder}:${process.env["PATH"]}`;
  }

  get publicKey(): string {
    return readFileSync(`${this.keyPath}.pub`, "utf8");
  }

  get path(): string {
    return `${this.#programs}:${process.env["PATH"]}`;
  }

  /** Nobody is asked for anything in a test, whether or not it runs in a terminal. */
  get environment(): Record<string, string | undefined> {
    return { PATH: this.path, SSH_AUTH_SOCK: undefined };
  }

  trust(...servers: readonly SshServer[]): void {
    for (const { knownHostsLine } of servers) {
      writeFileSync(this.knownHostsPath, knownHostsLine, { flag: "a" });
    }
  }

  /** A `Host` block: an alias for a server, and further lines. */
  addHost(alias: string, server: SshServer, further: readonly string[] = []): void {
    const lines = [
      "HostName 127.0.0.1",
      `Port ${server.port}`,
      "User root",
      `IdentityFile ${this.keyPath}`,
      "IdentitiesOnly yes",
      `UserKnownHostsFile ${this.knownHostsPath}`,
      "GlobalKnownHostsFile /dev/null",
      "BatchMode yes",
      ...further,
    ];
    const block = `Host ${alias}\n${lines.map((line) => `  ${line}\n`).join("")}`;
    writeFileSync(this.configPath, block, { flag: "a" });
  }
}

function writeSsh(folder: string, flags: string): void {
  const path = join(folder, "ssh");
  writeFileSync(path, `#!/bin/sh\nexec /usr/bin/ssh ${flags} "$@"\n`);
  chmodSync(path, 0o755);
}
