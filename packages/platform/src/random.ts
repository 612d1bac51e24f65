import { randomFillSync } from "node:crypto";
import type { Random } from "@comeback/core";

/** The kernel's cryptographic random numbers, through OpenSSL. */
export const systemRandom: Random = {
  fill(target) {
    randomFillSync(target);
    return target;
  },
};
