import { TieredBackend } from "@comeback/backend-layers";
import { type Backend, ComebackError, ExitCode, isComebackError } from "@comeback/core";
import { examineHotPart, type HotPartState, type Repository } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import { openBackend } from "./open-backend.ts";
import { redactLocation } from "./redact-location.ts";

/** A repository's storage: one place, or with `--repo-hot` two that look like one. */
export interface OpenedStorage {
  /** Closes the hot part as well. */
  readonly backend: Backend;
  readonly hot: Backend | undefined;
}

/** Opens or makes the storage that the global options name. */
export async function openStorage(
  context: CommandContext,
  location: string,
  how: "create" | "open" = "open",
): Promise<OpenedStorage> {
  const { hotRepository } = context.globals;
  if (hotRepository === location) {
    throw badUsage("the hot part is the repository itself", "name another place with --repo-hot");
  }
  const cold = await openBackend(context, location, how);
  if (hotRepository === undefined) return { backend: cold, hot: undefined };
  try {
    const hot = await openHot(context, hotRepository, how);
    return { backend: new TieredBackend({ hot, cold }), hot };
  } catch (error) {
    await cold[Symbol.asyncDispose]();
    throw error;
  }
}

async function openHot(
  context: CommandContext,
  location: string,
  how: "create" | "open",
): Promise<Backend> {
  if (how === "create") return openNewHot(context, location);
  try {
    return await openBackend(context, location);
  } catch (error) {
    if (!isComebackError(error, "repository.none")) throw error;
    throw refusal(location, "missing", error);
  }
}

/** What is left of another repository must not become part of this one. */
async function openNewHot(context: CommandContext, location: string): Promise<Backend> {
  const { signal } = context;
  const hot = await openBackend(context, location, "create");
  try {
    for (const type of ["key", "snapshot", "index"] as const) {
      for await (const _file of hot.list(type, { signal })) {
        throw new ComebackError("repository.no-config", `${hot.location} is not empty`, {
          why: `it holds ${type} files of a repository, or of the hot part of one`,
          next: "choose another place for the hot part",
        });
      }
    }
    return hot;
  } catch (error) {
    await hot[Symbol.asyncDispose]();
    throw error;
  }
}

/** Both have to be parts of one repository before anything is read or written by way of them. */
export async function assertHotFits(
  { globals, signal }: CommandContext,
  repository: Repository,
  hot: Backend,
): Promise<void> {
  const state = await examineHotPart(repository, hot, { signal });
  if (state !== "fits") throw refusal(globals.hotRepository ?? hot.location, state);
}

const WHAT: Readonly<Record<Exclude<HotPartState, "fits">, readonly [string, string]>> = {
  missing: ["there is no hot part at", "it has no config file"],
  other: ["another repository has its place at", "its config is not this repository's"],
  outdated: ["the format has changed, but not in the hot part at", "its config is an older one"],
  whole: ["there is a whole repository at", "its config does not say that it is a hot part"],
};

/** Why a place cannot be used as the hot part. */
export function refusal(
  location: string,
  state: Exclude<HotPartState, "fits">,
  cause?: unknown,
): ComebackError {
  const [what, why] = WHAT[state];
  const isRepairable = state === "missing" || state === "outdated";
  return new ComebackError("repository.hot-part", `${what} ${redactLocation(location)}`, {
    why: isComebackError(cause) && cause.why !== undefined ? cause.why : why,
    next: isRepairable
      ? "check --repo-hot; `comeback repair hot` with both names makes it anew from the cold part"
      : "check --repo-hot, and COMEBACK_REPO_HOT: the two have to be parts of one repository",
    exitCode: state === "missing" ? ExitCode.noRepository : ExitCode.failed,
    ...(cause === undefined ? {} : { cause }),
  });
}
