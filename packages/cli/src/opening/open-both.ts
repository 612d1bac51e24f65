import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import { type OpenOptions, openSession, type Session } from "./session.ts";

/** A repository to be opened, and how. */
export interface SessionWish {
  readonly context: CommandContext;
  readonly options: OpenOptions;
}

/** Two open repositories: what is in one goes into the other. */
export class SessionPair implements AsyncDisposable {
  readonly from: Session;
  readonly to: Session;
  /** Aborts with either. */
  readonly signal: AbortSignal;

  constructor(from: Session, to: Session) {
    this.from = from;
    this.to = to;
    this.signal = AbortSignal.any([from.signal, to.signal]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _from = this.from;
    await using _to = this.to;
  }
}

/**
 * Opens both, side by side: each derives a key from a password, which takes half a second. Where
 * somebody is asked for one, they come one after the other.
 */
export async function openBoth(from: SessionWish, to: SessionWish): Promise<SessionPair> {
  const asks = [from, to].map(({ context }) => context.globals.password.kind === "ask");
  if (!asks.includes(true)) return settleBoth(open(from), open(to));
  if (!asks.includes(false) && !process.stdin.isTTY) {
    throw badUsage(
      "two passwords cannot both come from a redirected standard input",
      "use --from-password-file or --from-password-command for the other repository",
    );
  }
  const first = await open(from);
  return settleBoth(Promise.resolve(first), open(to));
}

function open({ context, options }: SessionWish): Promise<Session> {
  return openSession(context, options);
}

/** Where only one can be opened, it is closed again. */
async function settleBoth(from: Promise<Session>, to: Promise<Session>): Promise<SessionPair> {
  const both = await Promise.allSettled([from, to]);
  const [first, second] = both;
  if (first.status === "fulfilled" && second.status === "fulfilled") {
    return new SessionPair(first.value, second.value);
  }
  for (const one of both) {
    if (one.status === "fulfilled") await one.value[Symbol.asyncDispose]();
  }
  throw first.status === "rejected" ? first.reason : (second as PromiseRejectedResult).reason;
}
