/** What a run and its watchdog say to each other, a line each. */
export type ToWatchdog = { readonly type: "know"; readonly id: number };
export type FromWatchdog =
  /** The step is in the journal, and its deadline is watched. */
  { readonly type: "knows"; readonly id: number } | { readonly type: "overrun" };

export function encodeMessage(message: ToWatchdog | FromWatchdog): string {
  return `${JSON.stringify(message)}\n`;
}

/** Takes chunks of text, and hands on each whole line. */
export function lineReader<Message>(
  onMessage: (message: Message) => void,
): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onMessage(JSON.parse(line) as Message);
  };
}
