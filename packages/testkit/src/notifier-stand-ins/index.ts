export * from "./checks.ts";
export { discordApi } from "./discord.ts";
export {
  HttpStandIn,
  type StandInAnswer,
  type StandInApi,
  type StandInRequest,
} from "./http-stand-in.ts";
export { gotifyApi, ntfyApi } from "./push-services.ts";
export { slackApi } from "./slack.ts";
export { teamsApi } from "./teams.ts";
export { failure as telegramFailure, telegramApi } from "./telegram.ts";
export { webhookApi } from "./webhook.ts";
