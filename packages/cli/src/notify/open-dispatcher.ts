import type { CatalogStore, Clock } from "@comeback/core";
import { makeNotifier } from "@comeback/notifiers";
import {
  type Channel,
  type Configuration,
  NotificationDispatcher,
  resolveSecret,
  type SecretReference,
  stateLock,
  systemZone,
} from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import { hostOf } from "../configuration/host-of.ts";

export interface NotifyWorld {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** The channels of a configuration, ready to send. Their secrets are looked for at each message. */
export function channelsOf(
  { channels }: Pick<Configuration, "channels">,
  { env, clock }: NotifyWorld,
): Channel[] {
  return Object.entries(channels).map(([name, channel]) => ({
    name,
    events: channel.events,
    severity: channel.severity,
    repeatAfter: channel.repeatAfter,
    digest: channel.digest,
    notifier: makeNotifier<SecretReference>(channel, {
      fetch,
      runner: systemCommandRunner,
      clock,
      resolveSecret: (reference, signal) =>
        resolveSecret(
          reference,
          { env, commands: systemCommandRunner, signal },
          `of the channel ${name}`,
        ),
    }),
  }));
}

/** What brings messages to the channels of a configuration. */
export function openDispatcher(
  configuration: Configuration,
  given: NotifyWorld & {
    readonly catalog: Pick<CatalogStore, "readNote" | "saveNote">;
    readonly stateFolder: string;
  },
): NotificationDispatcher {
  const { catalog, stateFolder, clock } = given;
  return new NotificationDispatcher({
    channels: channelsOf(configuration, given),
    catalog,
    clock,
    host: hostOf(configuration),
    timezone: configuration.timezone ?? systemZone(),
    exclusively: stateLock({ stateFolder, clock }),
  });
}
