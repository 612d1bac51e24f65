import type { Notification } from "@comeback/core";
import type { Configuration, NotificationDispatcher } from "@comeback/operations";
import { notifyChannels } from "./notify-channels.ts";

/** Tells the channels of the message's plan; those of all plans where it is about none. */
export function tellOfDaemon(
  { plans }: Pick<Configuration, "plans">,
  dispatcher: NotificationDispatcher,
  message: { readonly notification: Notification; readonly signal: AbortSignal },
): Promise<void> {
  const { plan } = message.notification;
  const concerned =
    plan !== undefined && Object.hasOwn(plans, plan) ? [plans[plan]!] : Object.values(plans);
  const names = new Set(concerned.flatMap(({ notify }) => notify));
  return notifyChannels(dispatcher, [...names], message);
}
