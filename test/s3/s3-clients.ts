import { Client } from "../drivers/client.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import type { Tool } from "../drivers/tools.ts";
import type { RunOptions, Running } from "../drivers/run-program.ts";

/** Keys of a store, as the environment names them. */
export function environmentOf(user: {
  readonly accessKey: string;
  readonly secretKey: string;
}): Record<string, string | undefined> {
  return {
    AWS_ACCESS_KEY_ID: user.accessKey,
    AWS_SECRET_ACCESS_KEY: user.secretKey,
    // Of the machine's own settings nothing may matter.
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
    AWS_DEFAULT_REGION: undefined,
    AWS_SESSION_TOKEN: undefined,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** A client whose every run has the store's keys, and these `-o` options. */
export class S3Client extends Client {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(
    tool: Tool,
    repository: string,
    env: Readonly<Record<string, string | undefined>>,
    options: readonly string[] = [],
  ) {
    super(
      { ...tool, flags: [...tool.flags, ...options.flatMap((one) => ["-o", one])] },
      repository,
    );
    this.#env = env;
  }

  override start(args: readonly string[], options: RunOptions = {}): Running {
    return super.start(args, { ...options, env: { ...this.#env, ...options.env } });
  }
}

export function bothClients(
  repository: string,
  env: Readonly<Record<string, string | undefined>>,
): { ours: S3Client; restic: S3Client } {
  return {
    ours: new S3Client(COMEBACK, repository, env),
    restic: new S3Client(RESTIC_018, repository, env),
  };
}
