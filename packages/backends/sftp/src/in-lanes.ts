export interface LaneOptions {
  readonly count: number;
  readonly lanes: number;
  readonly signal: AbortSignal | undefined;
  /**
   * Asked before each, for one at a time: what waits here in line with other files is never more
   * than one part of this one. Its signal aborts once there is nothing to wait for any more.
   */
  readonly mayBegin?: ((index: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Runs `perform` for 0, 1, 2 … `count` - 1, so many at a time, and in that order as far as their
 * beginnings go. After a failure or an abort none is begun; resolves or rejects once none runs.
 */
export async function inLanes(
  options: LaneOptions,
  perform: (index: number) => Promise<void>,
): Promise<void> {
  const { count, signal, mayBegin } = options;
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  let next = 0;
  let turn = Promise.resolve();
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      stop.throwIfAborted();
      if (mayBegin !== undefined) {
        turn = turn.then(() => mayBegin(index, stop));
        await turn;
        stop.throwIfAborted();
      }
      await perform(index);
    }
  };
  const lanes = Array.from({ length: Math.min(options.lanes, count) }, async () => {
    // The first failure is the others' reason to stop, so that all tell the same.
    await lane().catch((error: unknown) => failed.abort(error));
  });
  await Promise.all(lanes);
  if (failed.signal.aborted) throw failed.signal.reason;
}
