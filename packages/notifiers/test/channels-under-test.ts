import {
  type CheckPing,
  checkApi,
  discordApi,
  gotifyApi,
  kumaApi,
  ntfyApi,
  SimulatedClock,
  slackApi,
  teamsApi,
  telegramApi,
  telegramFailure,
  webhookApi,
} from "@comeback/testkit";
import type { ChannelUnderTest } from "./channel-fixture.ts";

const TOKEN = "123456:AAE-token_of_the_bot";
export const CHECK = "0c8983c9-9d73-446f-adb5-0641fdacc9d4";

function channel(
  given: Pick<ChannelUnderTest, "api" | "settings"> & Partial<ChannelUnderTest>,
): ChannelUnderTest {
  return { shown: [], clock: new SimulatedClock(), secrets: {}, ...given };
}

/** A service that gives out addresses which are secrets themselves. */
function hook(
  kind: "slack" | "discord" | "teams",
  path: string,
  api: (path: string, shown: string[]) => ChannelUnderTest["api"],
): ChannelUnderTest {
  const shown: string[] = [];
  return channel({
    shown,
    secrets: { part: path.split("/").at(-1)! },
    api: api(path, shown),
    settings: () => ({ kind, settings: { url: { name: "url" } } }),
    secretUrls: (url) => ({ url: `${url}${path}` }),
  });
}

/** Each kind of channel that speaks HTTP, with all that it can be told. */
export const CHANNELS: Readonly<Record<string, () => ChannelUnderTest>> = {
  telegram() {
    const shown: string[] = [];
    return channel({
      shown,
      secrets: { token: TOKEN },
      api: telegramApi({ token: TOKEN, chat: "-1001" }, shown),
      settings: (server) => ({
        kind: "telegram",
        settings: { token: { name: "token" }, chat: "-1001", server },
      }),
      busy: telegramFailure(429, "Too Many Requests: retry after 7", { retry_after: 7 }),
    });
  },
  slack: () => hook("slack", "/services/T0001/B0002/XXXXsecretXXXX", slackApi),
  discord: () => ({
    ...hook("discord", "/api/webhooks/1/secret-of-the-webhook", discordApi),
    busy: { status: 429, body: JSON.stringify({ message: "slow", retry_after: 6.4501 }) },
    busyForMs: 6451,
  }),
  teams: () => hook("teams", "/workflows/secret-of-the-flow", teamsApi),
  ntfy() {
    const shown: string[] = [];
    const secrets = { topic: "backups_8Gh2kq", token: "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2" };
    return channel({
      shown,
      secrets,
      api: ntfyApi(secrets, shown),
      settings: (server) => ({
        kind: "ntfy",
        settings: { server, topic: { name: "topic" }, token: { name: "token" } },
      }),
    });
  },
  gotify() {
    const shown: string[] = [];
    const secrets = { token: "AKsjdhf83hfkw9" };
    return channel({
      shown,
      secrets,
      api: gotifyApi(secrets, shown),
      settings: (server) => ({ kind: "gotify", settings: { server, token: { name: "token" } } }),
    });
  },
  webhook() {
    const shown: string[] = [];
    const clock = new SimulatedClock();
    const secrets = { key: "key of the receiver", header: "Bearer of-a-proxy" };
    const path = "/hooks/secret-of-the-path";
    return channel({
      shown,
      clock,
      secrets,
      api: webhookApi({ path, key: secrets.key, nowMs: () => clock.now() }, shown),
      settings: () => ({
        kind: "webhook",
        settings: {
          url: { name: "url" },
          key: { name: "key" },
          headers: { "X-Proxy": { name: "header" }, "X-Plain": "plain" },
        },
      }),
      secretUrls: (url) => ({ url: `${url}${path}` }),
    });
  },
  "ping of healthchecks.io"() {
    const shown: string[] = [];
    const pings: CheckPing[] = [];
    const api = checkApi(CHECK, pings);
    return channel({
      shown,
      secrets: { part: CHECK },
      api: (request) => {
        const answer = api(request);
        shown.push(...pings.splice(0).map(({ body }) => body));
        return answer;
      },
      settings: () => ({ kind: "ping", settings: { url: { name: "url" } } }),
      secretUrls: (url) => ({ url: `${url}/${CHECK}` }),
    });
  },
  "ping of Uptime Kuma"() {
    const shown: string[] = [];
    const beats: { status: string; message: string; pingMs: string }[] = [];
    const api = kumaApi("secret-push", beats);
    return channel({
      shown,
      secrets: { part: "secret-push" },
      api: (request) => {
        const answer = api(request);
        shown.push(...beats.splice(0).map(({ message }) => message));
        return answer;
      },
      settings: () => ({ kind: "ping", settings: { url: { name: "url" } } }),
      secretUrls: (url) => ({ url: `${url}/api/push/secret-push?status=up&msg=OK&ping=` }),
      showsTitleOnly: true,
    });
  },
};
