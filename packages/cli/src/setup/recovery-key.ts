import type { Random } from "@comeback/core";

/** Without letters and digits that are taken for one another on paper. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const GROUPS = 8;
const GROUP_LENGTH = 4;

/** A repository's password, 160 bits, in groups that can be written down and typed again. */
export function makeRecoveryKey(random: Random): string {
  const bytes = random.fill(new Uint8Array(GROUPS * GROUP_LENGTH));
  const letters = [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length]);
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH).join(""),
  ).join("-");
}
