import { type Palette, paletteFor } from "./palette.ts";
import { cutToWidth, displayWidth } from "./display-width.ts";

/** The part of a Node stream that is used here; tests hand in their own. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(data: string | Uint8Array, callback?: (error?: Error | null) => void): unknown;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
}

const DEFAULT_COLUMNS = 80;
/** The last column, which makes some terminals wrap, and the "^C" that a terminal echoes. */
const FREE_COLUMNS = 3;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const ERASE_TO_END = "\u001b[J";

/**
 * Where all output goes: results to stdout, problems to stderr, and below them, on a terminal, a
 * few live status lines that are redrawn in place.
 */
export class Terminal {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  /** The stream that status lines are drawn on; none where neither is a terminal. */
  readonly #live: OutputStream | undefined;
  readonly palette: Palette;
  readonly errorPalette: Palette;
  #status: readonly string[] = [];
  #drawnLines = 0;
  #cursorHidden = false;

  constructor({ stdout, stderr, env }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    const smart = env["TERM"] !== "dumb";
    this.#live = !smart ? undefined : stderr.isTTY ? stderr : stdout.isTTY ? stdout : undefined;
    this.palette = paletteFor(stdout.isTTY === true, env);
    this.errorPalette = paletteFor(stderr.isTTY === true, env);
  }

  get isLive(): boolean {
    return this.#live !== undefined;
  }

  get stdoutIsTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** Columns of the terminal; 80 where there is none. */
  get columns(): number {
    const columns = this.#live?.columns ?? this.#stdout.columns ?? DEFAULT_COLUMNS;
    return columns > 0 ? columns : DEFAULT_COLUMNS;
  }

  /** Columns that a status line may fill. */
  get statusColumns(): number {
    return Math.max(1, this.columns - FREE_COLUMNS);
  }

  /** One or more lines of the command's result. */
  print(text: string): void {
    this.#around(() => this.#stdout.write(`${text}\n`));
  }

  /** Bytes as they are. */
  printRaw(data: string | Uint8Array): void {
    this.#around(() => this.#stdout.write(data));
  }

  /** Many bytes as they are, no faster than they are taken. */
  async printStream(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      await new Promise<void>((resolve, reject) => {
        this.#around(() =>
          this.#stdout.write(chunk, (error) => (error ? reject(error) : resolve())),
        );
      });
    }
  }

  /** One or more lines about a problem. */
  printError(text: string): void {
    this.#around(() => this.#stderr.write(`${text}\n`));
  }

  /** A prompt, say: no line end is added. */
  printErrorRaw(text: string): void {
    this.#around(() => this.#stderr.write(text));
  }

  /** Replaces the live lines. They are plain text, cut to the width of the terminal. */
  showStatus(lines: readonly string[]): void {
    if (this.#live === undefined) return;
    this.#status = lines;
    this.#draw();
  }

  /** Removes the live lines, and gives the cursor back. */
  clearStatus(): void {
    this.#status = [];
    this.#erase();
    if (this.#cursorHidden) this.#live?.write(SHOW_CURSOR);
    this.#cursorHidden = false;
  }

  #around(write: () => void): void {
    this.#erase();
    write();
    if (this.#status.length > 0) this.#draw();
  }

  #draw(): void {
    const width = this.statusColumns;
    const lines = this.#status.map((line) =>
      displayWidth(line) > width ? cutToWidth(line, width) : line,
    );
    const hide = this.#cursorHidden ? "" : HIDE_CURSOR;
    this.#cursorHidden = true;
    this.#live?.write(`${hide}${this.#home()}${lines.join(`\u001b[K\n`)}${ERASE_TO_END}`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#drawnLines === 0) return;
    this.#live?.write(`${this.#home()}${ERASE_TO_END}`);
    this.#drawnLines = 0;
  }

  /** To the first column of the first live line. */
  #home(): string {
    return this.#drawnLines > 1 ? `\r\u001b[${this.#drawnLines - 1}A` : "\r";
  }
}
