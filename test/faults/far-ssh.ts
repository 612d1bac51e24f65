import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { FaultProxy } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { SshServer } from "../services/openssh/ssh-server.ts";
import { SshUser } from "../services/openssh/ssh-user.ts";

/** Logs in as its user does. */
class SshClient extends Client {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(repository: string, env: Readonly<Record<string, string | undefined>>) {
    super(COMEBACK, repository);
    this.#env = env;
  }

  override get environment(): Record<string, string | undefined> {
    return { ...super.environment, ...this.#env };
  }
}

/** An ssh server, a user whom it knows, and a way to it that may be disturbed: ended with the test. */
export class FarSsh {
  readonly proxy: FaultProxy;
  readonly #user: SshUser;

  private constructor(proxy: FaultProxy, user: SshUser) {
    this.proxy = proxy;
    this.#user = user;
  }

  static async start(folder: string): Promise<FarSsh> {
    const server = await SshServer.start({ folder: join(folder, "server") });
    const proxy = await FaultProxy.start({ port: server.port });
    after(() => proxy[Symbol.asyncDispose]());
    const user = new SshUser(join(folder, "user"));
    server.allow(user.publicKey);
    user.trust(server);
    // Of several values for one setting, ssh takes the first.
    appendFileSync(user.configPath, `Host far\n  Port ${proxy.port}\n`);
    // The key is looked for under the name of the server, whatever is in front of it.
    user.addHost("far", server, [`HostKeyAlias [127.0.0.1]:${server.port}`]);
    user.addHost("direct", server);
    return new FarSsh(proxy, user);
  }

  /** By the way that may be disturbed, or past it. */
  client(host: "direct" | "far", root: string): Client {
    return new SshClient(`sftp:${host}:${root}`, this.#user.environment);
  }
}
