import type { CommandContext } from "../context.ts";
import { repositoryLocation } from "../opening/find-backend.ts";
import { redactLocation } from "../opening/redact-location.ts";
import { readPassword } from "../opening/read-password.ts";
import { openSession, type Session } from "../opening/session.ts";
import type { AlsoTo } from "../options/also-to.ts";
import { badUsage } from "../options/option-error.ts";

/** One of the repositories that a backup goes to. */
export interface Destination {
  /** What messages call it: its location without secrets. */
  readonly label: string;
  readonly context: CommandContext;
  /** Opened and locked: as soon as the command starts, and once only. */
  readonly session: Promise<Session>;
}

/** All repositories of a backup; they are closed together. */
export class Destinations implements AsyncDisposable {
  readonly list: readonly Destination[];

  constructor(list: readonly Destination[]) {
    this.list = list;
    // A failure is for whoever awaits it, and may come before anybody does.
    for (const { session } of list) session.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = await Promise.allSettled(
      this.list.map(async ({ session }) => {
        const [opened] = await Promise.allSettled([session]);
        if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
      }),
    );
    for (const one of closed) if (one.status === "rejected") throw one.reason;
  }
}

/** Begins to open `--repo` and every `--also-to`, side by side. */
export async function openDestinations(
  context: CommandContext,
  others: readonly AlsoTo[],
  options: { readonly lock: "shared" | "none"; readonly stdinIsTaken: boolean },
): Promise<Destinations> {
  const own = await repositoryLocation(context.globals);
  const locations = [own, ...others.map(({ location }) => location)];
  const twice = locations.find((location, place) => locations.indexOf(location) !== place);
  if (twice !== undefined) {
    throw badUsage(`${redactLocation(twice)} is named twice`, "name each repository once");
  }
  // Asked for, or printed by a command, once for all that share it.
  let shared: Promise<string> | undefined;
  const sharedPassword = (): Promise<string> =>
    (shared ??= readPassword(context, { isNew: false, stdinIsTaken: options.stdinIsTaken }));
  const open = (one: CommandContext, hasOwnPassword: boolean): Promise<Session> =>
    openSession(one, hasOwnPassword ? options : { ...options, password: sharedPassword });
  const list = locations.map((location, place): Destination => {
    const password = place === 0 ? undefined : others[place - 1]?.password;
    const repository = { kind: "location", location } as const;
    const base = place === 0 ? context : (context.outer ?? context);
    const hotRepository = place === 0 ? context.globals.hotRepository : undefined;
    const globals = { ...base.globals, repository, hotRepository };
    const one = {
      ...base,
      globals: password === undefined ? globals : { ...globals, password },
    };
    return {
      label: redactLocation(location),
      context: one,
      session: open(one, password !== undefined),
    };
  });
  return new Destinations(list);
}
