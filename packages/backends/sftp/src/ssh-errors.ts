import { ComebackError } from "@comeback/core";
import type { ErrorCode } from "@comeback/core";
import { ProtocolError } from "./packet-reader.ts";
import type { SshCommand } from "./ssh-command.ts";
import type { SshEnd } from "./ssh-process.ts";

interface Explanation {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: (host: string) => string;
  readonly next: (host: string) => string;
  readonly retryable?: boolean;
  /** As Node would call it. */
  readonly systemError?: string;
}

const TRY_BY_HAND = (host: string): string =>
  `see whether \`ssh ${host}\` works as the user who runs Comeback`;

/** What ssh says on its standard error (OpenSSH 7 to 10), in the order in which it is looked for. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    code: "backend.changed-host",
    message: (host) => `WARNING: ${host} shows ANOTHER host key than before`,
    next: (host) =>
      `someone may be between you and the server. Ask its administrator whether the key was ` +
      `renewed, compare the fingerprint, and only then \`ssh-keygen -R ${host}\``,
  },
  {
    pattern: /Host key verification failed|No \S+ host key is known for|host key .*revoked/i,
    code: "backend.unknown-host",
    message: (host) => `the host key of ${host} is not known`,
    next: (host) =>
      `run \`ssh ${host}\` as the user who runs Comeback, compare the fingerprint that it shows ` +
      `with the server's (there: \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`), and accept it`,
  },
  {
    pattern: /Permissions .* are too open|Bad owner or permissions|UNPROTECTED PRIVATE KEY/i,
    code: "backend.credentials",
    message: () => "ssh refuses a key or its configuration, because others could change or read it",
    next: () => "run `chmod 600` on the file that ssh names, and see that its owner is right",
  },
  {
    pattern: /Permission denied \(|Too many authentication failures|Permission denied, please try/i,
    code: "backend.credentials",
    message: (host) => `${host} does not let us in`,
    next: (host) =>
      `give the server your key (\`ssh-copy-id ${host}\`) and name it in ~/.ssh/config; a key ` +
      `with a passphrase has to be in the agent first (\`ssh-add\`)`,
  },
  {
    pattern: /subsystem request failed|This service allows sftp connections only/i,
    code: "backend.misconfigured",
    message: (host) => `${host} offers no SFTP`,
    next: () => "enable it there: `Subsystem sftp internal-sftp` in sshd_config",
  },
  {
    pattern: /Bad configuration option|unsupported option|keyword .* extra arguments|no argument/i,
    code: "option.invalid",
    message: () => "ssh does not understand its configuration",
    next: () => "mend what it names in ~/.ssh/config or in -o sftp.args",
  },
  {
    pattern: /Could not resolve hostname .*(?:Name or service not known|nodename nor)/i,
    code: "backend.unreachable",
    message: (host) => `there is no host named ${host}`,
    next: () => "check the name in the repository's URL and in ~/.ssh/config",
    systemError: "ENOTFOUND",
  },
  {
    pattern: /Could not resolve hostname/i,
    code: "backend.unreachable",
    message: (host) => `the name ${host} cannot be looked up at the moment`,
    next: () => "check the network connection and its name server",
    retryable: true,
  },
  {
    pattern: /Connection refused/i,
    code: "backend.unreachable",
    message: (host) => `${host} refuses the connection`,
    next: () => "check that its SSH server runs, and on which port",
    retryable: true,
  },
  {
    pattern: /timed out|Timeout, server|No route to host|Network is unreachable|Host is down/i,
    code: "backend.unreachable",
    message: (host) => `${host} does not answer`,
    next: TRY_BY_HAND,
    retryable: true,
  },
];

/** What the end of an ssh process means. `wasReady`: it had carried a session before. */
export function explainEnd(command: SshCommand, end: SshEnd, wasReady: boolean): ComebackError {
  const { host, program } = command;
  const said = lastWords(end.stderr);
  if (!wasReady && isMissing(end)) return programMissing(program);
  const found = EXPLANATIONS.find(({ pattern }) => pattern.test(end.stderr));
  if (found !== undefined && !(wasReady && found.code !== "backend.unreachable")) {
    return new ComebackError(found.code, found.message(host), {
      next: found.next(host),
      retryable: found.retryable ?? false,
      ...(found.systemError === undefined ? {} : { context: { systemError: found.systemError } }),
      ...(said === "" ? {} : { why: `ssh says: ${said}` }),
    });
  }
  const how = end.signal === null ? `with exit code ${end.exitCode}` : `by ${end.signal}`;
  const what = wasReady ? `the connection to ${host} was lost` : `no connection to ${host}`;
  return new ComebackError("backend.unreachable", what, {
    why: said === "" ? `${program} ended ${how} and said nothing` : `ssh says: ${said}`,
    next: wasReady ? "run the command again: it goes on where it was" : TRY_BY_HAND(host),
    retryable: true,
  });
}

/** What came was not SFTP. Most often a login script of the server prints something. */
export function explainProtocol(command: SshCommand, error: unknown): ComebackError {
  const { host } = command;
  return new ComebackError("backend.misconfigured", `${host} does not speak SFTP as it should`, {
    why: error instanceof ProtocolError ? error.message : "an answer could not be read",
    next:
      `see whether \`sftp ${host}\` works; often a login script there (such as ~/.bashrc) prints ` +
      "something, which it must not where there is no terminal",
    cause: error,
  });
}

/** Nothing came for too long. */
export function explainSilence(command: SshCommand, waitedMs: number): ComebackError {
  const { host } = command;
  return new ComebackError("backend.unreachable", `${host} does not answer any more`, {
    why: `nothing came from it for ${Math.round(waitedMs / 1000)} seconds`,
    next: TRY_BY_HAND(host),
    retryable: true,
  });
}

function isMissing({ exitCode, stderr }: SshEnd): boolean {
  return (exitCode === 127 || exitCode === 126) && /not found|Permission denied/.test(stderr);
}

function programMissing(program: string): ComebackError {
  return new ComebackError("backend.program-missing", `the program ${program} is not installed`, {
    why: "repositories on SFTP are reached through it",
    next:
      program === "ssh"
        ? "install OpenSSH's client: `apt install openssh-client` (Debian, Ubuntu), " +
          "`dnf install openssh-clients` (Fedora)"
        : "install it, or correct -o sftp.command",
  });
}

/** The last lines that say something, for a message: no control characters, not too much. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").trim())
    .filter(
      (line) => /[\p{L}\p{N}]/u.test(line) && !/^\*\*|^Warning: Permanently added/.test(line),
    );
  return lines.slice(-2).join(" / ").slice(0, 300);
}
