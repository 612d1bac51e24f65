import { backendClosed, ComebackError, SFTP_END_MAX_MS, SFTP_FAR_MS } from "@comeback/core";
import type { SftpSession } from "./sftp-session.ts";

interface Member {
  readonly session: SftpSession;
  calls: number;
}

/**
 * The ssh processes of a backend. There is one as long as it is enough. Where the server is far
 * away, more are started while several files are on their way: OpenSSH lets 2 MiB be under way in
 * a process and no more. To a server nearby a second one was slower (0.85 times, two cores), since
 * it only takes turns with the first. A process that died is replaced when the next call needs
 * one, once for each call.
 */
export class SessionPool implements AsyncDisposable {
  readonly #start: (isFirst: boolean, signal: AbortSignal) => Promise<SftpSession>;
  readonly #stop = new AbortController();
  readonly #max: number;
  readonly #location: string;
  #members: Member[] = [];
  #starting: Promise<Member> | undefined;
  #startedOnce = false;
  /** A further process could not be started: the server does not want more, or would have to ask. */
  #mayGrow = true;
  #closed = false;

  constructor(options: {
    readonly location: string;
    readonly max: number;
    /** A session that is no longer wanted while it starts is ended. */
    start(isFirst: boolean, signal: AbortSignal): Promise<SftpSession>;
  }) {
    this.#location = options.location;
    this.#max = options.max;
    this.#start = options.start;
  }

  /**
   * Lets a call use a session. Where its signal aborts, it has a few seconds to tidy up on the
   * server; a session that does not answer by then is ended.
   */
  async use<T>(
    options: { readonly signal: AbortSignal | undefined; readonly isHeavy: boolean },
    perform: (session: SftpSession) => Promise<T>,
  ): Promise<T> {
    const { signal } = options;
    const member = await this.#member(options.isHeavy, signal);
    member.calls++;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      timer = setTimeout(() => member.session.kill(endedByAbort()), SFTP_END_MAX_MS);
    };
    signal?.addEventListener("abort", onAbort);
    try {
      return await perform(member.session);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      member.calls--;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stop.abort(backendClosed(this.#location));
    await this.#starting?.catch(() => undefined);
    await Promise.all(this.#members.map(({ session }) => session[Symbol.asyncDispose]()));
  }

  async #member(isHeavy: boolean, signal: AbortSignal | undefined): Promise<Member> {
    signal?.throwIfAborted();
    if (this.#closed) throw backendClosed(this.#location);
    this.#members = this.#members.filter(({ session }) => session.isAlive);
    const idlest = this.#members.toSorted((a, b) => a.calls - b.calls)[0];
    if (idlest === undefined) return await unlessAborted(this.#grow(), signal);
    const wantsMore = isHeavy && idlest.calls > 0 && idlest.session.roundTripMs >= SFTP_FAR_MS;
    const mayGrow = this.#mayGrow && this.#starting === undefined;
    if (wantsMore && mayGrow && this.#members.length < this.#max) {
      // Nobody waits for it: it serves the calls to come.
      this.#grow().catch(() => {
        this.#mayGrow = false;
      });
    }
    return idlest;
  }

  #grow(): Promise<Member> {
    this.#starting ??= this.#startOne().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #startOne(): Promise<Member> {
    const isFirst = !this.#startedOnce;
    const session = await this.#start(isFirst, this.#stop.signal);
    this.#startedOnce = true;
    const member = { session, calls: 0 };
    this.#members.push(member);
    return member;
  }
}

function endedByAbort(): ComebackError {
  return new ComebackError("backend.unreachable", "the connection was ended", {
    why: "the server did not answer after an interruption",
    retryable: true,
  });
}

/** The start goes on for whoever comes next. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
