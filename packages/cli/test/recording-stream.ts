import type { OutputStream } from "../src/terminal/terminal.ts";

/** A stream that keeps what is written to it. */
export class RecordingStream implements OutputStream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = "";

  constructor(options: { readonly isTTY: boolean; readonly columns?: number }) {
    this.isTTY = options.isTTY;
    this.columns = options.columns;
  }

  write(data: string | Uint8Array): void {
    this.text += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
  }

  clear(): void {
    this.text = "";
  }
}
