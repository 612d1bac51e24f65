/** A number of JSON that a double cannot hold; the types of ES2026 do not know it yet. */
export function exactNumber(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}
