/** For options that may be given several times: gathers their values in order. */
export function gather(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
