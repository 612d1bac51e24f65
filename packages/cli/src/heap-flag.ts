/** What the launcher (bin/comeback) starts Node with; what starts a command without it has to as well. */
export const HEAP_FLAG = "--max-semi-space-size=8";
