import type { Notifier } from "@comeback/core";
import { appriseNotifier } from "./apprise.ts";
import { discordNotifier } from "./discord.ts";
import { gotifyNotifier } from "./gotify.ts";
import type { NotifierSettings, TextOrReference } from "./notifier-settings.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { ntfyNotifier } from "./ntfy.ts";
import { pingNotifier } from "./ping.ts";
import { slackNotifier } from "./slack.ts";
import { smtpNotifier } from "./smtp.ts";
import { teamsNotifier } from "./teams.ts";
import { telegramNotifier } from "./telegram.ts";
import { webhookNotifier } from "./webhook.ts";

export interface MakeNotifierWorld<Reference> extends NotifierWorld {
  /** Resolves to what a reference stands for; asked anew for each message. */
  resolveSecret(reference: Reference, signal: AbortSignal): Promise<string>;
}

/** The notifier of a channel, from what the configuration says of it. Touches nothing yet. */
export function makeNotifier<Reference extends object>(
  { kind, settings }: NotifierSettings<Reference>,
  world: MakeNotifierWorld<Reference>,
): Notifier {
  const secret = (given: TextOrReference<Reference>): SecretText =>
    typeof given === "string"
      ? () => Promise.resolve(given)
      : (signal) => world.resolveSecret(given, signal);
  const maybe = (given: TextOrReference<Reference> | undefined): SecretText | undefined =>
    given === undefined ? undefined : secret(given);
  switch (kind) {
    case "smtp":
      return smtpNotifier(
        { ...settings, user: settings.user, password: maybe(settings.password) },
        world,
      );
    case "telegram":
      return telegramNotifier({ ...settings, token: secret(settings.token) }, world);
    case "slack":
      return slackNotifier({ url: secret(settings.url) }, world);
    case "discord":
      return discordNotifier({ url: secret(settings.url) }, world);
    case "teams":
      return teamsNotifier({ url: secret(settings.url) }, world);
    case "ntfy":
      return ntfyNotifier(
        {
          server: settings.server,
          topic: secret(settings.topic),
          token: maybe(settings.token),
        },
        world,
      );
    case "gotify":
      return gotifyNotifier({ server: settings.server, token: secret(settings.token) }, world);
    case "webhook":
      return webhookNotifier(
        {
          url: secret(settings.url),
          key: maybe(settings.key),
          headers: Object.fromEntries(
            Object.entries(settings.headers).map(([name, value]) => [name, secret(value)]),
          ),
        },
        world,
      );
    case "ping":
      return pingNotifier({ url: secret(settings.url) }, world);
    case "apprise":
      return appriseNotifier(
        { command: settings.command, urls: settings.urls.map((url) => secret(url)) },
        world,
      );
  }
}
