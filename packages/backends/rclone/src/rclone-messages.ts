import { RCLONE_MESSAGES_KEPT_BYTES } from "@comeback/core";
import { withoutValues } from "./rclone-location.ts";

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

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#secrets = Object.entries(env)
      .filter(([name]) => SECRET_NAME.test(name))
      .map(([, value]) => value ?? "")
      .filter((value) => value.length >= SECRET_MIN_CHARS);
  }

  add(piece: string): void {
    this.#text = (this.#text + piece).slice(-RCLONE_MESSAGES_KEPT_BYTES);
  }

  /** All that is kept. */
  get all(): string {
    let text = this.#text;
    for (const secret of this.#secrets) text = text.replaceAll(secret, "***");
    return withoutValues(text.replaceAll(NAMED_SECRET, "$1***"));
  }

  /** What it said last. */
  get last(): string | undefined {
    const lines = this.all.split("\n").filter((line) => line.trim() !== "");
    return lines.at(-1)?.replace(PREFIX, "").trim();
  }
}
