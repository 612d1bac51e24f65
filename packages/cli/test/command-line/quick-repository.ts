import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { PASSWORD } from "./run-comeback.ts";

/** The key derivation of a real repository takes a fifth of a second; a test's need not. */
const QUICK_COST = { N: 16, r: 8, p: 1 };

/** Makes an ordinary repository whose password is checked quickly. */
export async function makeQuickRepository(path: string): Promise<void> {
  const backend = await localBackendFactory.create(path);
  await using _repository = await Repository.init({
    backend,
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
    scryptCost: QUICK_COST,
  });
}
