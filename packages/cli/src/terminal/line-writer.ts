import type { ByteString } from "@comeback/core";
import { printableName } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

const BUFFER_CHARACTERS = 64 * 1024;

/**
 * Many lines to stdout in few writes. To a terminal, names go with everything escaped that could
 * drive it; to a pipe or a file, as the very bytes they are, for the programs that read them.
 */
export class LineWriter {
  readonly #terminal: Terminal;
  #buffer: ByteString = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** A line of raw bytes. */
  writeNames(line: ByteString): void {
    if (this.#terminal.stdoutIsTerminal) {
      this.#terminal.print(printableName(line));
      return;
    }
    this.#buffer += `${line}\n`;
    if (this.#buffer.length >= BUFFER_CHARACTERS) this.flush();
  }

  /** A line of our own text, such as JSON. */
  writeText(line: string): void {
    this.writeNames(Buffer.from(line, "utf8").toString("latin1"));
  }

  flush(): void {
    if (this.#buffer !== "") this.#terminal.printRaw(Buffer.from(this.#buffer, "latin1"));
    this.#buffer = "";
  }
}
