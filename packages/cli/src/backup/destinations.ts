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
  // Asked for, or printed by a command, once for all that share it.
  let shared: Promise<string> | undefined;
  const sharedPassword = (): Promise<string> =>
    (shared ??= readPassword(context, { isNew: false, stdinIsTaken: options.stdinIsTaken }));
  const wishes: Wish[] = [{ context, hasOwnPassword: false }];
  for (const other of others) wishes.push(await wishFor(context, other));
  const locations = await Promise.all(
    wishes.map(({ context: { globals } }) => repositoryLocation(globals)),
  );
  const twice = locations.find((location, place) => locations.indexOf(location) !== place);
  if (twice !== undefined) {
    throw badUsage(`${redactLocation(twice)} is named twice`, "name each repository once");
  }
  const list = wishes.map(({ context: one, hasOwnPassword }, place): Destination => ({
    label: redactLocation(locations[place]!),
    context: one,
    session: openSession(one, hasOwnPassword ? options : { ...options, password: sharedPassword }),
  }));
  return new Destinations(list);
}

interface Wish {
  readonly context: CommandContext;
  readonly hasOwnPassword: boolean;
}

/** One of `--also-to`: a destination of the configuration with all that belongs to it, or a location. */
async function wishFor(context: CommandContext, { location, password }: AlsoTo): Promise<Wish> {
  const named = await context.destinationNamed?.(location);
  const outer = context.outer ?? context;
  const repository = { kind: "location", location } as const;
  const plain = { ...outer, globals: { ...outer.globals, repository, hotRepository: undefined } };
  const one = named ?? plain;
  const hasOwnPassword = password !== undefined || named !== undefined;
  if (password === undefined) return { context: one, hasOwnPassword };
  return { context: { ...one, globals: { ...one.globals, password } }, hasOwnPassword };
}
