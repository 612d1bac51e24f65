import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { ByteString, Source } from "@comeback/core";
import {
  backup,
  type BackupObserver,
  type BackupResult,
  check,
  type CheckObserver,
  type CheckResult,
  instantOfMilliseconds,
  restore,
  type RestoreObserver,
  type RestoreResult,
  type Snapshot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { makeRepository } from "../opening/make-repository.ts";
import { openSession, type Session } from "../opening/session.ts";
import { PROGRAM_VERSION } from "../version.ts";

const PASSWORD_VARIABLE = "COMEBACK_PASSWORD";

/**
 * The throwaway repository. It is opened and locked anew for every step, just as the commands do
 * it: nothing that one step remembers can help the next one.
 */
export class TrialRepository {
  readonly location: string;
  readonly password: string = randomBytes(24).toString("base64url");
  readonly #context: CommandContext;

  constructor(context: CommandContext, location: string) {
    this.location = location;
    this.#context = {
      ...context,
      env: { ...context.env, [PASSWORD_VARIABLE]: this.password },
      globals: {
        ...context.globals,
        repository: { kind: "location", location },
        hotRepository: undefined,
        password: { kind: "variable", name: PASSWORD_VARIABLE },
      },
    };
  }

  async init(): Promise<void> {
    const { location, password } = this;
    await makeRepository(this.#context, { location, password, version: 2 });
  }

  async backup(
    source: Source,
    parent: Snapshot | undefined,
    observer: BackupObserver,
  ): Promise<BackupResult> {
    await using session = await this.#open();
    const { repository, mayWrite, signal } = session;
    await mayWrite;
    await repository.loadIndex({ signal });
    return await backup({
      repository,
      source,
      time: instantOfMilliseconds(this.#context.clock.now()),
      hostname: hostname(),
      programVersion: PROGRAM_VERSION,
      mayWrite,
      signal,
      observer,
      ...(parent === undefined ? {} : { parent }),
    });
  }

  async restore(wish: {
    readonly snapshot: Snapshot;
    readonly subpath?: ByteString;
    readonly target: ByteString;
    readonly delete: boolean;
    readonly observer: RestoreObserver;
  }): Promise<RestoreResult> {
    await using session = await this.#open();
    const { repository, signal } = session;
    await repository.loadIndex({ includeMarked: true, signal });
    return await restore({ repository, signal, ...wish });
  }

  async check(observer: CheckObserver): Promise<CheckResult> {
    await using session = await this.#open();
    const { repository, signal } = session;
    return await check({ repository, readData: { kind: "all" }, signal, observer });
  }

  #open(): Promise<Session> {
    return openSession(this.#context, { lock: "shared", useCache: false });
  }
}
