import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAM = join(
  import.meta.dirname,
  "../../../.services/azurite/node_modules/azurite/dist/src/blob/main.js",
);

/** The account that the emulator knows, made for one run. */
export interface AzuriteAccount {
  readonly name: string;
  readonly key: string;
}

export interface AzuriteOptions {
  /** Serves TLS, and takes tokens of identities (which it does only then). */
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string };
}

/** A running emulator of Azure Blob Storage, with an account of its own; all of it in memory. */
export class Azurite implements AsyncDisposable {
  readonly account: AzuriteAccount;
  readonly port: number;
  /** The account's blob service. */
  readonly endpoint: string;
  readonly #process: ChildProcess;

  private constructor(parts: {
    account: AzuriteAccount;
    port: number;
    scheme: string;
    process: ChildProcess;
  }) {
    this.account = parts.account;
    this.port = parts.port;
    this.endpoint = `${parts.scheme}://127.0.0.1:${parts.port}/${parts.account.name}`;
    this.#process = parts.process;
  }

  static async start({ tls }: AzuriteOptions = {}): Promise<Azurite> {
    if (!existsSync(PROGRAM)) throw new Error("run test/services/azurite/install.sh first");
    const account = { name: "comebacktests", key: randomBytes(64).toString("base64") };
    const args = ["--inMemoryPersistence", "--blobPort", "0", "--disableTelemetry"];
    const secure =
      tls === undefined
        ? []
        : ["--cert", tls.certificatePath, "--key", tls.keyPath, "--oauth", "basic"];
    // Our SDK may speak a newer version of the protocol than it has heard of.
    const process_ = spawn(
      process.execPath,
      [PROGRAM, ...args, "--silent", "--skipApiVersionCheck", ...secure],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, AZURITE_ACCOUNTS: `${account.name}:${account.key}` },
      },
    );
    try {
      const port = await listeningPort(process_);
      const scheme = tls === undefined ? "http" : "https";
      return new Azurite({ account, port, scheme, process: process_ });
    } catch (error) {
      await end(process_);
      throw error;
    }
  }

  /** What a program needs to use the account with its key. */
  get environment(): Record<string, string> {
    return { AZURE_ACCOUNT_NAME: this.account.name, AZURE_ACCOUNT_KEY: this.account.key };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process);
  }
}

/** It says so once it can be reached; what it said before is told where it never does. */
async function listeningPort(child: ChildProcess): Promise<number> {
  const said: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  if (child.stdout === null) throw new Error("the emulator has no output");
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    const port = /successfully listens on https?:\/\/[^:]+:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      child.stdout.resume();
      return Number(port);
    }
  }
  throw new Error(`the emulator did not start: ${said.join("\n")}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}
