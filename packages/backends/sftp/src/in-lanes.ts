/**
 * Runs `perform` for 0, 1, 2 … `count` - 1, so many at a time, and in that order as far as their
 * beginnings go. After a failure or an abort none is begun; resolves or rejects once none runs.
 */
export async function inLanes(
  options: {
    readonly count: number;
    readonly lanes: number;
    readonly signal: AbortSignal | undefined;
  },
  perform: (index: number) => Promise<void>,
): Promise<void> {
  const { count, signal } = options;
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < count && !failed) {
      try {
        signal?.throwIfAborted();
        await perform(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(options.lanes, count) }, lane);
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
