import type { Migration } from "./migration.ts";

/** How long a proof took: of a restore test, the time that a recovery takes. */
export const proofTimes: Migration = ({ integer }) => [
  `alter table proofs add column took_ms ${integer}`,
];
