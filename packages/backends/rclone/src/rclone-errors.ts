import { ComebackError, messageOf } from "@comeback/core";

/** An rclone that has ended. */
export interface EndedRclone {
  readonly shown: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly messages: string;
  readonly lastMessage: string | undefined;
}

/** rclone could not be started. */
export function startError(program: string, cause: unknown): ComebackError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT") {
    return new ComebackError("backend.program-missing", `there is no program "${program}"`, {
      next: "install rclone (Debian's package is rclone), or name it with -o rclone.program=PATH",
      cause,
    });
  }
  return new ComebackError("backend.program-missing", `"${program}" cannot be run`, {
    why: messageOf(cause),
    next: "check -o rclone.program=PATH, and the program's permissions",
    cause,
  });
}

/** rclone ended although it was still needed. */
export function endedError(ended: EndedRclone, cause: unknown): ComebackError {
  const { messages, shown, exitCode, signal, lastMessage } = ended;
  const said = lastMessage === undefined ? "" : `: ${lastMessage}`;
  const why = `it ended with ${signal ?? `exit code ${exitCode ?? "none"}`}${said}`;
  const refuse = (what: string, next: string): ComebackError =>
    new ComebackError("backend.misconfigured", what, { why, next, cause });
  if (/didn't find section in config file|unknown remote/i.test(messages)) {
    return refuse(
      `rclone knows no remote of this name (${shown})`,
      "see `rclone listremotes`, or set it up with `rclone config`; RCLONE_CONFIG names the file",
    );
  }
  if (/decrypt configuration|configuration password|wrong password/i.test(messages)) {
    return refuse(
      "rclone's configuration is encrypted",
      "put its password into RCLONE_CONFIG_PASS, or a command that prints it into " +
        "RCLONE_PASSWORD_COMMAND",
    );
  }
  if (/unknown (?:flag|shorthand|command)|accepts|Usage:/i.test(messages)) {
    return refuse("rclone does not know what it was called with", "check -o rclone.args=…");
  }
  if (/(?:directory|bucket|path) not found|doesn't exist/i.test(messages)) {
    return refuse(`rclone finds no such path (${shown})`, "check the path with `rclone lsd`");
  }
  if (
    /fetch token|token (?:has )?expired|empty token|unauthori[sz]ed|invalid_grant/i.test(messages)
  ) {
    return new ComebackError("backend.credentials", "the store does not let rclone in", {
      why,
      next: "log in again with `rclone config reconnect REMOTE:`",
      cause,
    });
  }
  return new ComebackError("backend.unreachable", "rclone has ended", {
    why,
    next: "try `rclone lsd` on the remote, then repeat the command",
    // It may have been killed, or the network was gone: the next call starts it again.
    retryable: true,
    cause,
  });
}
