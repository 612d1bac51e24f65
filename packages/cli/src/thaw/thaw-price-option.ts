import type { ThawPrice } from "@comeback/engine";
import { badValue } from "../options/option-error.ts";

/** `0.02,0.10`: dollars per GB, and per 1,000 packs. */
export function parseThawPrice(text: string): ThawPrice {
  const [, gigabyte, packs] = /^(\d{1,6}(?:\.\d+)?),(\d{1,6}(?:\.\d+)?)$/.exec(text) ?? [];
  if (gigabyte === undefined || packs === undefined) {
    throw badValue("--price", text, "dollars per GB and per 1,000 packs, such as 0.02,0.10");
  }
  return { perGigabyte: Number(gigabyte), perThousandPacks: Number(packs) };
}
