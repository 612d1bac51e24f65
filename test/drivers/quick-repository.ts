import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { PASSWORD } from "./client.ts";

/** A repository whose password is checked in a blink, for tests with very many commands. */
export async function makeQuickRepository(folder: string): Promise<void> {
  const backend = await localBackendFactory.create(folder);
  await using _ = await Repository.init({
    backend,
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
    scryptCost: { N: 1024, r: 8, p: 1 },
  });
}
