import { notifierConformance } from "@comeback/testkit";
import { channelFixture } from "./channel-fixture.ts";
import { CHANNELS } from "./channels-under-test.ts";

for (const [name, make] of Object.entries(CHANNELS)) {
  notifierConformance(name, () => channelFixture(make));
}
