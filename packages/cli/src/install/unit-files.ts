/** What a service unit is made for. */
export interface UnitOptions {
  /** The program and what comes before `daemon`, each an argument. */
  readonly command: readonly string[];
  /** The service of one user, who has no rights to give away. */
  readonly isUser: boolean;
  /** A timer that starts it every minute, instead of a process that stays. */
  readonly isTimer: boolean;
  /** Why it has to keep all rights of root; [] where it need not. */
  readonly privileges: readonly string[];
}

/** By it `install` knows its own files, and leaves others alone. */
export const MARKER = "# Written by `comeback install`; `comeback install --remove` removes it.";
/** Longer than a stop takes at most: a minute to wait, one to ask, and some. */
const STOP_MAX_S = 200;

export function serviceUnit(options: UnitOptions): string {
  const { isUser, isTimer, command } = options;
  const start = [...command, "daemon", ...(isTimer ? ["--once"] : [])].map(quoted).join(" ");
  return unitText([
    ["Unit"],
    ["Description", "Comeback: backups that prove they come back"],
    ...(isUser
      ? []
      : ([
          ["Wants", "network-online.target"],
          [
            "After",
            "network-online.target remote-fs.target time-sync.target",
            "Backups need their storage, and a clock that is set.",
          ],
        ] as const)),
    ["Service"],
    ["ExecStart", start],
    ...(isTimer ? TIMED : STAYING),
    [
      "KillMode",
      "mixed",
      "A stop is for the daemon, which knows in which order to end what runs; the rest goes after.",
    ],
    ["TimeoutStopSec", `${STOP_MAX_S}`],
    ["SuccessExitStatus", "130", "Stopped while it was still starting."],
    ["OOMPolicy", "continue", "A run that takes too much memory ends alone, and is reported."],
    ["Nice", "10", "What the machine is there for comes first."],
    ["IOSchedulingPriority", "7"],
    ...(isUser ? USER : SYSTEM),
    ...(isUser ? [] : rightsOf(options.privileges)),
    ...(isTimer
      ? []
      : ([["Install"], ["WantedBy", isUser ? "default.target" : "multi-user.target"]] as const)),
  ]);
}

export function timerUnit(): string {
  return unitText([
    ["Unit"],
    ["Description", "Comeback: looks every minute for what is due"],
    ["Timer"],
    [
      "OnCalendar",
      "*:0/1",
      "When plans are due is in comeback.yaml, and what was missed in the catalog.",
    ],
    ["AccuracySec", "1s"],
    ["Install"],
    ["WantedBy", "timers.target"],
  ]);
}

/** A section, or a setting with its value and why it is there. */
type Line = readonly [string] | readonly [string, string] | readonly [string, string, string];

const STAYING: readonly Line[] = [
  ["Type", "notify"],
  ["NotifyAccess", "main"],
  ["ExecReload", `/bin/sh -c "kill -HUP $MAINPID"`, "A small system has no program kill."],
  ["Restart", "on-failure"],
  ["RestartSec", "5", "What it leaves at rest when it is killed is undone at its next start."],
  ["TimeoutStartSec", "900", "At its start it may have to undo what a crash has left over."],
  ["WatchdogSec", "300"],
];

const TIMED: readonly Line[] = [
  ["Type", "oneshot"],
  ["TimeoutStartSec", "infinity", "It ends with the backups that it starts."],
];

const SYSTEM: readonly Line[] = [
  ["User", "root", "So that HOME is set: rclone, ssh and others have their settings there."],
  ["EnvironmentFile", "-/etc/comeback/environment", "For secrets that are {env: NAME}."],
  ["StateDirectory", "comeback", "The catalog, journals of undo, locks: /var/lib/comeback."],
  ["StateDirectoryMode", "0700"],
  ["CacheDirectory", "comeback"],
  ["CacheDirectoryMode", "0700"],
  ["Environment", "XDG_CACHE_HOME=/var/cache"],
  ["UMask", "0077"],
];

const USER: readonly Line[] = [
  ["EnvironmentFile", "-%E/comeback/environment", "For secrets that are {env: NAME}."],
  ["UMask", "0077"],
  ["NoNewPrivileges", "yes"],
];

/** It reads everything, writes what is its own and its destinations, and may do little else. */
const HARDENED: readonly Line[] = [
  [
    "CapabilityBoundingSet",
    "CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN CAP_SETUID CAP_SETGID CAP_KILL",
    "To read every file; to write destinations that belong to others; to leave access times as " +
      "they are; to run dumps as their own users (postgres), and to end them.",
  ],
  ["NoNewPrivileges", "yes"],
  ["ProtectSystem", "full", "Destinations and restores are anywhere, but never in /usr and /etc."],
  ["ProtectKernelTunables", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectHostname", "yes"],
  ["PrivateMounts", "yes"],
  ["LockPersonality", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictNamespaces", "yes"],
  ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
  ["SystemCallArchitectures", "native"],
  ["SystemCallFilter", "~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap"],
  ["SystemCallErrorNumber", "EPERM"],
];

/**
 * Not set, on purpose: ProtectHome and PrivateTmp would hide what is to be backed up, and sockets of
 * databases; PrivateDevices hides block devices; MemoryDenyWriteExecute stops the JavaScript engine.
 */
function rightsOf(privileges: readonly string[]): readonly Line[] {
  if (privileges.length === 0) return HARDENED;
  const why = `All rights of root are left to it: ${privileges.join("; ")}.`;
  return [
    ["ProtectClock", "yes", why],
    ["ProtectHostname", "yes"],
    ["LockPersonality", "yes"],
    ["RestrictRealtime", "yes"],
    ["SystemCallArchitectures", "native"],
  ];
}

function unitText(lines: readonly Line[]): string {
  const text = lines.flatMap(([name, value, why]) => [
    ...(value === undefined ? ["", `[${name}]`] : []),
    ...(why === undefined ? [] : [`# ${why}`]),
    ...(value === undefined ? [] : [`${name}=${value}`]),
  ]);
  return `${[MARKER, ...text].join("\n")}\n`;
}

/** systemd.service(5), "Command lines": specifiers and variables mean something in arguments. */
function quoted(argument: string): string {
  const plain = argument.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
