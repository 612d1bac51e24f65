import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type ReportWriter, section } from "./report-writer.ts";

export type ReportName =
  | "packages"
  | "disks"
  | "crontabs"
  | "firewall"
  | "network"
  | "services"
  | "mounts";

/** Yields a report's text piece by piece. */
type Report = (writer: ReportWriter) => AsyncGenerator<string>;

export const reports: Readonly<Record<ReportName, Report>> = {
  packages: (writer) =>
    sections(writer, [
      ["dpkg-query", "--show", `--showformat=${DPKG_LINE}`],
      ["apt-mark", "showmanual"],
      ["rpm", "--query", "--all", "--queryformat=%{NAME}\\t%{EVR}\\t%{ARCH}\\n"],
      ["apk", "info", "--verbose"],
      ["pacman", "--query"],
    ]),
  disks,
  crontabs,
  firewall,
  network,
  services,
  async *mounts(writer) {
    yield writer.file("/etc/fstab");
    yield writer.file("/proc/mounts");
  },
};

const DPKG_LINE = "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Abbrev}\\n";
const LSBLK_COLUMNS =
  "NAME,KNAME,PATH,MAJ:MIN,TYPE,SIZE,RO,RM,FSTYPE,LABEL,UUID,PARTLABEL,PARTUUID,PARTTYPE,PTTYPE,PTUUID,MOUNTPOINT,MODEL,SERIAL,WWN";

async function* sections(
  writer: ReportWriter,
  commands: readonly (readonly [string, ...string[]])[],
): AsyncGenerator<string> {
  for (const argv of commands) yield (await writer.command(argv)).text;
}

async function* disks(writer: ReportWriter): AsyncGenerator<string> {
  const lsblk = ["lsblk", "--json", "--bytes", "--output", LSBLK_COLUMNS] as const;
  const { text, stdout } = await writer.command(lsblk);
  yield text;
  for (const path of partitionedDisks(stdout)) {
    yield (await writer.command(["sfdisk", "--dump", path])).text;
  }
  // 2: there is nothing that it knows.
  const blkid = await writer.command(["blkid"], { isFailure: ({ exitCode }) => exitCode !== 2 });
  yield blkid.text;
  yield writer.file("/proc/mdstat");
  yield* sections(writer, [
    ["pvs", "--reportformat", "json", "--units", "b", "--options", "pv_all,vg_name"],
    [
      "vgs",
      "--reportformat",
      "json",
      "--units",
      "b",
      "--options",
      "vg_name,vg_uuid,vg_size,vg_extent_size,vg_tags",
    ],
    [
      "lvs",
      "--reportformat",
      "json",
      "--units",
      "b",
      "--options",
      "lv_name,vg_name,lv_uuid,lv_size,lv_attr,segtype,pool_lv,origin,devices",
    ],
  ]);
}

/** Disks that sfdisk has something to say of. */
function partitionedDisks(lsblkJson: string): string[] {
  if (lsblkJson === "") return [];
  const { blockdevices } = JSON.parse(lsblkJson) as {
    readonly blockdevices: readonly { type: string; path: string; pttype: string | null }[];
  };
  const disks = blockdevices.filter(({ type, pttype }) => type === "disk" && pttype !== null);
  return disks.map(({ path }) => path).toSorted();
}

async function* crontabs(writer: ReportWriter): AsyncGenerator<string> {
  for (const user of crontabUsers()) {
    const whose = user === undefined ? [] : ["-u", user];
    const { text, stdout } = await writer.command(["crontab", "-l", ...whose], {
      isFailure: ({ lastWords }) => !/no crontab for/.test(lastWords),
    });
    const isThere = !text.includes("is not on this machine");
    if (stdout !== "" || !isThere || text.includes("(failed: ")) yield text;
    if (!isThere) break;
  }
  yield writer.file("/etc/crontab");
  yield writer.folder("/etc/cron.d");
  for (const span of ["hourly", "daily", "weekly", "monthly"]) {
    yield writer.folder(`/etc/cron.${span}`);
  }
}

/** Everybody's where we may see them, otherwise our own. */
function crontabUsers(): (string | undefined)[] {
  if (process.getuid?.() !== 0 || !existsSync("/etc/passwd")) return [undefined];
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  return lines.map((line) => line.split(":")[0] ?? "").filter((name) => /^\w/.test(name));
}

async function* firewall(writer: ReportWriter): AsyncGenerator<string> {
  yield (await writer.command(["nft", "--stateless", "list", "ruleset"])).text;
  for (const program of ["iptables-save", "ip6tables-save"]) {
    yield (await writer.command([program], { tidy: withoutCounters })).text;
  }
}

/** The time at which it was printed and the packets until then are no rules. */
export function withoutCounters(text: string): string {
  return text
    .replaceAll(/^# (?:Generated|Completed) .*\n/gm, "")
    .replaceAll(/\[\d+:\d+\]/g, "[0:0]");
}

async function* network(writer: ReportWriter): AsyncGenerator<string> {
  yield section("hostname", hostname());
  // Addresses by DHCP tell how long they are still valid.
  const tidy = (text: string): string =>
    text.replaceAll(/,?"(?:valid|preferred)_life_time":\d+/g, "");
  yield (await writer.command(["ip", "-json", "address"], { tidy })).text;
  yield* sections(writer, [
    ["ip", "-json", "route", "show", "table", "all"],
    ["ip", "-json", "rule"],
  ]);
  yield writer.file("/etc/hosts");
  yield writer.file("/etc/resolv.conf");
}

async function* services(writer: ReportWriter): AsyncGenerator<string> {
  if (!existsSync("/run/systemd/system")) {
    yield section("systemctl list-unit-files", "(systemd does not run here)\n");
    return;
  }
  yield* sections(writer, [["systemctl", "list-unit-files", "--no-pager", "--no-legend"]]);
}
