import {
  type FarSide,
  HttpStandIn,
  type NotifierFixture,
  type SimulatedClock,
  type StandInAnswer,
  type StandInApi,
} from "@comeback/testkit";
import { systemCommandRunner } from "@comeback/platform";
import { makeNotifier, type NotifierSettings } from "@comeback/notifiers";

/** References are names here, and what they stand for is handed in. */
export interface Named {
  readonly name: string;
}

export interface ChannelUnderTest {
  readonly shown: string[];
  readonly clock: SimulatedClock;
  readonly secrets: Readonly<Record<string, string>>;
  readonly api: StandInApi;
  readonly settings: (url: string) => NotifierSettings<Named>;
  /** Secrets that hold the address, which is only known once the service is there. */
  readonly secretUrls?: (url: string) => Readonly<Record<string, string>>;
  readonly busy?: StandInAnswer;
  readonly busyForMs?: number;
  readonly showsTitleOnly?: true;
}

const BUSY: StandInAnswer = { status: 429, headers: { "retry-after": "7" }, body: "slow down" };

/** A channel that speaks HTTP, and a stand-in of its service. */
export async function channelFixture(
  make: () => ChannelUnderTest,
): Promise<NotifierFixture & { readonly service: HttpStandIn }> {
  const channel = make();
  const { shown, clock, busy = BUSY, busyForMs = 7000, showsTitleOnly } = channel;
  const service = await HttpStandIn.start(channel.api);
  const secrets: Readonly<Record<string, string>> = {
    ...channel.secrets,
    ...channel.secretUrls?.(service.url),
  };
  // Whoever refuses says what he was sent: all of it.
  const words = JSON.stringify(Object.values(secrets));
  const answers: Readonly<Record<FarSide, StandInAnswer | "silence">> = {
    busy,
    broken: { status: 503, body: `upstream of ${words}` },
    refusing: { status: 400, body: `cannot take ${words}` },
    silent: "silence",
  };
  return {
    notifier: makeNotifier(channel.settings(service.url), {
      fetch,
      runner: systemCommandRunner,
      clock,
      resolveSecret: ({ name }) => Promise.resolve(secrets[name]!),
    }),
    clock,
    service,
    secrets: [...Object.values(channel.secrets), ...Object.values(secrets)],
    shown: () => Promise.resolve(shown),
    next: (does) => service.answerNext(answers[does]),
    arrival: () => service.arrival(),
    busyForMs,
    ...(showsTitleOnly === undefined ? {} : { showsTitleOnly }),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}
