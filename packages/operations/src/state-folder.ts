import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where what a host's runs remember is kept: /var/lib/comeback for root, otherwise
 * $XDG_STATE_HOME/comeback, which is ~/.local/state/comeback where the variable is not set.
 */
export function stateFolder(
  env: Readonly<Record<string, string | undefined>>,
  uid: number | undefined = process.getuid?.(),
): string {
  if (uid === 0) return "/var/lib/comeback";
  const shared = env["XDG_STATE_HOME"];
  // The XDG specification: a path that is not absolute is to be ignored.
  const base =
    shared?.startsWith("/") === true ? shared : join(env["HOME"] || homedir(), ".local", "state");
  return join(base, "comeback");
}
