export { makeNotifier, type MakeNotifierWorld } from "./make-notifier.ts";
export type { NotifierSettings, TextOrReference } from "./notifier-settings.ts";
export type { NotifierWorld } from "./notifier-world.ts";
