import { RCLONE_MESSAGE_SHOWN_CHARS, RCLONE_MESSAGES_KEPT_BYTES } from "@comeback/core";
import { valuesIn, withoutValues } from "./rclone-location.ts";

const SECRET_NAME = /PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH/i;
const SECRET_MIN_CHARS = 4;
const NAMED_SECRET =
  /((?:access_|refresh_|client_)?(?:token|secret|pass(?:word)?|authorization)["']?\s*[:=]\s*(?:bearer\s+|basic\s+)?)("[^"]*"|[^\s,;&}]+)/gi;
/** `2026/01/31 12:00:00 ERROR : ` */
const PREFIX = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:[A-Z]+ *: )?/;

/** The end of what rclone says on its standard error, without secrets. */
export class RcloneMessages {
  readonly #secrets: readonly string[];
  #text = "";

  /** What rclone was given: it must not come out of it again. */
  constructor(given: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly args: readonly string[];
  }) {
    const named = Object.entries(given.env).filter(([name]) => SECRET_NAME.test(name));
    const values = [...named.map(([, value]) => value ?? ""), ...given.args.flatMap(valuesIn)];
    this.#secrets = values.filter((value) => value.length >= SECRET_MIN_CHARS);
  }

  add(piece: string): void {
    this.#text = (this.#text + piece).slice(-RCLONE_MESSAGES_KEPT_BYTES);
  }

  /** All that is kept. */
  get all(): string {
    let text = this.#text;
    for (const secret of this.#secrets) text = text.replaceAll(secret, "***");
    return withoutValues(text).replaceAll(NAMED_SECRET, "$1***");
  }

  /** What it said last: from the last time of day on, as one line. */
  get last(): string | undefined {
    const lines = this.all.split("\n").filter((line) => line.trim() !== "");
    const start = Math.max(
      0,
      lines.findLastIndex((line) => PREFIX.test(line)),
    );
    const text = lines.slice(start).join(" ").replace(PREFIX, "").trim();
    return text === "" ? undefined : text.slice(0, RCLONE_MESSAGE_SHOWN_CHARS);
  }
}
