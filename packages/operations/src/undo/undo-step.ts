import type { JournalValue } from "@comeback/core";
import type { SecretReference } from "../configuration/schema/values.ts";

/** Text, or where a secret is that stands for it. */
export type TextOrSecret = string | SecretReference;

/** An HTTP call; what of it is secret is fetched when it is made. */
export interface HttpCall {
  readonly url: TextOrSecret;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers: Readonly<Record<string, TextOrSecret>>;
  readonly body?: string | undefined;
  /** Answers that count as success; 200 to 299 if not given. */
  readonly status?: readonly number[] | undefined;
}

export type ContainerEngineName = "podman" | "docker";

/**
 * How something is taken back, as plain data: it is written to a journal, and another process may
 * carry it out, after a reboot too. It holds no secret, only where secrets are. Carrying it out
 * twice, or where there is nothing to take back, does no harm.
 */
export type UndoStep =
  | {
      readonly kind: "command";
      readonly argv: readonly [string, ...string[]];
      readonly environment?: Readonly<Record<string, TextOrSecret>> | undefined;
      readonly timeoutMs: number;
    }
  | ({ readonly kind: "http"; readonly timeoutMs: number } & HttpCall)
  | {
      readonly kind: "container-start";
      readonly engine: ContainerEngineName;
      readonly name: string;
      /** How long it may take to stop, where its stopping was interrupted. */
      readonly stopTimeoutMs: number;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "container-unpause";
      readonly engine: ContainerEngineName;
      readonly name: string;
      readonly timeoutMs: number;
    }
  | { readonly kind: "systemd-start"; readonly unit: string; readonly timeoutMs: number }
  | {
      readonly kind: "snapshot";
      /** Which snapshotter removes it. */
      readonly snapshotter: string;
      readonly token: JournalValue;
      readonly timeoutMs: number;
    };
