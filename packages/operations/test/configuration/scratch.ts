import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isComebackError, type FileProblem } from "@comeback/core";
import { loadConfiguration, type LoadedConfiguration } from "@comeback/operations";

/** A folder for one test file; it is removed at the end. */
export class ScratchFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "comeback-configuration-"));

  write(name: string, text: string, mode = 0o600): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const VALID = `destinations:
  nas:
    repo: /mnt/nas/comeback
    password: { file: /etc/comeback/key }
  cloud:
    repo: s3:https://s3.example.com/bucket
    password: { env: CLOUD_PASSWORD }
    environment: { AWS_SECRET_ACCESS_KEY: { file: /etc/comeback/aws } }
channels:
  ops: { telegram: { token: { env: TOKEN }, chat: 12345 } }
plans:
  shop:
    schedule: daily 02:00
    sources:
      content: { files: /srv/shop }
      db: { postgres: { databases: [shop] }, retries: { count: 2 } }
    to: nas
    copies: [{ from: nas, to: cloud, keep: { monthly: 12 } }]
    keep: { last: 2, daily: 15 }
    notify: ops
`;

export function load(
  path: string,
  validateTrigger?: (text: string) => string | undefined,
): Promise<LoadedConfiguration> {
  const { signal } = new AbortController();
  return loadConfiguration({
    path,
    env: {},
    signal,
    ...(validateTrigger === undefined ? {} : { validateTrigger }),
  });
}

/** What is wrong with a configuration, which has to be refused as such. */
export async function problemsOf(
  path: string,
  validateTrigger?: (text: string) => string | undefined,
): Promise<readonly FileProblem[]> {
  try {
    await load(path, validateTrigger);
  } catch (error) {
    if (isComebackError(error, "configuration.invalid")) return error.problems;
    throw error;
  }
  throw new Error("nothing was wrong with it");
}
