import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { PASSWORD } from "../../drivers/client.ts";

/** A new repository whose key opens at once: restic takes any cost that scrypt allows. */
export async function initCheaply(location: string, version: 1 | 2): Promise<void> {
  const backend = await localBackendFactory.create(location);
  await using repository = await Repository.init({
    backend,
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
    version,
    scryptCost: { N: 16, r: 8, p: 1 },
  });
  await repository.backend.stat({ type: "config", name: "" });
}

/** The repository by the library, without a cache. */
export async function openRepository(
  location: string,
  password: string = PASSWORD,
): Promise<Repository> {
  const backend = await localBackendFactory.open(location);
  return Repository.open({ backend, password, clock: systemClock, random: systemRandom });
}
