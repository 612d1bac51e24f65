import { ComebackError, isComebackError, messageOf } from "@comeback/core";

/** What a database's error means to us. */
export type FailureKind = "busy" | "damaged" | "full" | "other";

const REBUILD =
  "run `comeback history --rebuild -r REPOSITORY`: it puts the damaged catalog aside and makes a new " +
  "one from the repository's snapshots; no backup is affected";

/** The error of a call to the catalog at `place`, which holds no password. */
export function catalogFailure(place: string, kind: FailureKind, cause: unknown): ComebackError {
  if (isComebackError(cause)) return cause;
  const why = messageOf(cause);
  if (kind === "damaged") {
    return new ComebackError("catalog.damaged", `the catalog ${place} is damaged`, {
      why,
      next: REBUILD,
      cause,
    });
  }
  if (kind === "full") {
    return new ComebackError("catalog.unusable", `the catalog ${place} cannot grow`, {
      why: "there is no space left where it is",
      next: "free some space there; what was recorded before is still readable",
      retryable: true,
      cause,
    });
  }
  if (kind === "busy") {
    return new ComebackError("catalog.unusable", `the catalog ${place} is busy`, {
      why: "other processes have been writing into it all the time",
      next: "try again; if that goes on, look which processes have it open",
      retryable: true,
      cause,
    });
  }
  return new ComebackError("catalog.unusable", `the catalog ${place} cannot be used`, {
    why,
    next: "check that it is there, reachable, and may be read and written by this user",
    cause,
  });
}
