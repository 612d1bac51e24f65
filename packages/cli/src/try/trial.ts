import { statfsSync, writeFileSync } from "node:fs";
import {
  type ByteString,
  displayText,
  nodePath,
  type Source,
  TOTALS_DELAY_MS,
} from "@comeback/core";
import type { BackupResult, Snapshot } from "@comeback/engine";
import { createFilesSource } from "@comeback/source-files";
import { BackupView } from "../backup/backup-view.ts";
import { CheckView } from "../check/check-view.ts";
import type { CommandContext } from "../context.ts";
import { RestoreView } from "../restore/restore-view.ts";
import { formatBytes, formatClock, formatCount, formatMany } from "../terminal/format-values.ts";
import type { EntryProblem } from "../terminal/render-problems.ts";
import { printableName, printableText } from "../terminal/printable.ts";
import { ProgressTicker, type ProgressView } from "../terminal/progress-ticker.ts";
import { changeData, damageData, isBystanderUntouched } from "./change-data.ts";
import { checkWithRestic, findRestic } from "./find-restic.ts";
import { type DataScale, FULL_SCALE, makeData, SMALL_SCALE } from "./make-data.ts";
import type { TrialStep } from "./render-trial.ts";
import { type ScannedTree, scanTree } from "./scan-tree.ts";
import { TrialComparison } from "./trial-comparison.ts";
import { TrialRepository } from "./trial-repository.ts";

export interface TrialOptions {
  readonly context: CommandContext;
  /** Everything happens in here; the caller makes it and removes it. */
  readonly folder: ByteString;
  /** The user's own folder, absolute, which is read and never written. */
  readonly userFolder: ByteString | undefined;
  onStep(step: TrialStep): void;
}

type Finding = Omit<TrialStep, "elapsedMs" | "details"> & { readonly details?: readonly string[] };
type ShowProgress = (makeView: () => ProgressView) => void;

/** Room that is left free where a restore is tried. */
const SPARE_BYTES = 256 * 1024 * 1024;

/** The whole job, once: back up, change, back up, damage, restore, compare, check. */
export class Trial {
  readonly steps: TrialStep[] = [];
  readonly #options: TrialOptions;
  readonly #repository: TrialRepository;
  readonly #ticker: ProgressTicker;
  readonly #scale: DataScale;
  /** What is protected is `original/data`, so that the folder itself is part of it. */
  readonly #original: ByteString;
  readonly #data: ByteString;
  readonly #restored: ByteString;

  constructor(options: TrialOptions) {
    const { context, folder, userFolder } = options;
    const { terminal, globals, env } = context;
    this.#options = options;
    this.#scale = userFolder === undefined ? FULL_SCALE : SMALL_SCALE;
    this.#original = `${folder}/original`;
    this.#data = `${folder}/original/data`;
    this.#restored = `${folder}/restored`;
    this.#repository = new TrialRepository(context, displayText(`${folder}/repository`));
    const quiet = globals.quiet || globals.json;
    this.#ticker = new ProgressTicker({ terminal, env, quiet, json: false });
  }

  async run(): Promise<void> {
    using _ticker = this.#ticker;
    const { context, folder, userFolder } = this.#options;
    const { signal } = context;
    const startMs = Date.now();
    const before = await this.#makeData();
    const source = this.#source();
    const first = await this.#firstBackup(source);
    changeData(this.#data, this.#scale);
    const after = await scanTree(this.#data, { signal });
    const second = await this.#secondBackup(source, first);
    await this.#repairInPlace(second);
    const comparison = new TrialComparison({
      pairs: [
        { before: after, now: this.#data },
        { before, now: `${this.#restored}${this.#data}` },
      ],
      userFolder,
      restored: this.#restored,
      without: folder,
      startMs,
      signal,
    });
    await this.#restoreElsewhere(first, comparison);
    await this.#step("comparing every byte and attribute", async () => comparison.run());
    await this.#check();
    await this.#restic();
  }

  #makeData(): Promise<ScannedTree> {
    const { signal } = this.#options.context;
    let tree: ScannedTree | undefined;
    return this.#step("making something to protect", async () => {
      const leftOut = await makeData(this.#data, this.#scale, signal);
      tree = await scanTree(this.#data, { signal });
      const bytes = tree.values().reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
      const entries = formatMany(tree.size, "entry", "entries");
      return {
        what: `made ${entries}, ${formatBytes(bytes)}, to protect`,
        outcome: "ok",
        details: [...leftOut].map((what) => `not possible here, so not tried: ${what}`),
      };
    }).then(() => tree as ScannedTree);
  }

  #source(): Source {
    const { userFolder, folder } = this.#options;
    if (userFolder === undefined) return createFilesSource({ targets: [this.#data] });
    return createFilesSource({
      targets: [userFolder, this.#data],
      // The user's folder may be the one that temporary files are in.
      excludedFolders: ["repository", "restored", "outside"].map((own) => `${folder}/${own}`),
      oneFileSystem: true,
    });
  }

  async #firstBackup(source: Source): Promise<Snapshot> {
    const { password } = this.#repository;
    await this.#repository.init();
    // For whoever keeps the folder, to look around in it.
    writeFileSync(nodePath(`${this.#options.folder}/password`), `${password}\n`, { mode: 0o600 });
    return this.#backup("the first backup", source, undefined, ({ summary }) => {
      const { total_files_processed: files, total_bytes_processed: bytes } = summary;
      const stored = formatBytes(summary.data_added_packed);
      return `${formatMany(files, "file")}, ${formatBytes(bytes)} backed up as ${stored}`;
    });
  }

  #secondBackup(source: Source, parent: Snapshot): Promise<Snapshot> {
    return this.#backup("the second backup", source, parent, ({ summary }) => {
      const changed = summary.files_new + summary.files_changed;
      const stored = formatBytes(summary.data_added_packed);
      return `second backup: ${formatCount(changed)} changed files, ${stored} more`;
    });
  }

  async #backup(
    doing: string,
    source: Source,
    parent: Snapshot | undefined,
    tell: (result: BackupResult) => string,
  ): Promise<Snapshot> {
    let snapshot: Snapshot | undefined;
    await this.#step(doing, async (show) => {
      const result = await this.#repository.backup(source, parent, {
        totalsAfterMs: TOTALS_DELAY_MS,
        onStart: (progress) => show(() => new BackupView(progress)),
      });
      snapshot = result.snapshot;
      const isPartial = result.problemCount > 0;
      return {
        what: tell(result),
        // Unreadable files of the user are named; none of ours is unreadable.
        outcome: !isPartial ? "ok" : this.#options.userFolder === undefined ? "failed" : "partly",
        bytes: result.summary.total_bytes_processed,
        details: problemLines(result.problems),
      };
    });
    if (snapshot === undefined) throw new Error(`${doing} made no snapshot`);
    return snapshot;
  }

  async #repairInPlace(snapshot: Snapshot): Promise<void> {
    const damage = damageData(this.#data, this.#scale, `${this.#options.folder}/outside`);
    await this.#step("repairing the damage in place", async (show) => {
      const result = await this.#repository.restore({
        snapshot,
        subpath: this.#original,
        target: this.#original,
        delete: true,
        observer: { onStart: (progress) => show(() => new RestoreView(progress)) },
      });
      const isUntouched = isBystanderUntouched(damage);
      return {
        what: `damage repaired in place: ${formatMany(result.filesDone, "entry", "entries")}`,
        outcome: result.problems === 0 && isUntouched ? "ok" : "failed",
        bytes: result.bytesDone,
        details: [
          ...problemLines(result.problemsKept),
          ...(isUntouched ? [] : ["a planted link led the restore out of its folder"]),
        ],
      };
    });
  }

  /** The first snapshot with all that was in it, where there was nothing before. */
  async #restoreElsewhere(snapshot: Snapshot, comparison: TrialComparison): Promise<void> {
    const neededBytes = snapshot.summary?.total_bytes_processed ?? 0;
    const { bavail, bsize } = statfsSync(nodePath(this.#options.folder));
    if (bavail * bsize < neededBytes + SPARE_BYTES) {
      comparison.leaveOutRestored();
      const has = formatBytes(bavail * bsize);
      await this.#step("", async () => ({
        what: "first snapshot restored into an empty folder",
        outcome: "failed",
        details: [
          `it needs ${formatBytes(neededBytes)} of space, and there is ${has}`,
          "choose a place with more of it: comeback try --folder FOLDER",
        ],
      }));
      return;
    }
    await this.#step("restoring into an empty folder", async (show) => {
      const result = await this.#repository.restore({
        snapshot,
        target: this.#restored,
        delete: false,
        observer: { onStart: (progress) => show(() => new RestoreView(progress)) },
      });
      return {
        what: "first snapshot restored into an empty folder",
        outcome: result.problems === 0 ? "ok" : "failed",
        bytes: result.bytesDone,
        details: problemLines(result.problemsKept),
      };
    });
  }

  async #check(): Promise<void> {
    await this.#step("reading and verifying the whole repository", async (show) => {
      const { ok, counts, problems } = await this.#repository.check({
        onStart: (progress) => show(() => new CheckView(progress)),
      });
      const packs = formatMany(counts.packsRead, "pack");
      return {
        what: `check --read-data: ${packs}, ${formatMany(counts.blobsVerified, "blob")}`,
        outcome: ok ? "ok" : "failed",
        bytes: counts.bytesRead,
        details: problems.map(({ message }) => printableText(message)),
      };
    });
  }

  async #restic(): Promise<void> {
    const { env, signal } = this.#options.context;
    await this.#step("restic is checking it as well", async () => {
      const restic = await findRestic(env, signal);
      if (restic === undefined) {
        return { what: "restic is not installed, so it was not asked", outcome: "skipped" };
      }
      const verdict = await checkWithRestic(this.#repository, env, signal);
      return {
        what: `restic ${restic.version} check --read-data agrees`,
        outcome: verdict.ok ? "ok" : "failed",
        details: verdict.ok ? [] : [printableText(verdict.lastLine)],
      };
    });
  }

  async #step(doing: string, work: (show: ShowProgress) => Promise<Finding>): Promise<void> {
    const startMs = performance.now();
    const heading = (): string => `${doing} (${formatClock(performance.now() - startMs)})`;
    this.#ticker.start({ lines: () => [heading()], logLine: heading });
    const finding = await work((makeView) => {
      const view = makeView();
      this.#ticker.start({
        lines: (columns) => [heading(), ...view.lines(columns)],
        logLine: () => `${heading()} ${view.logLine()}`,
      });
    });
    this.#ticker.stop();
    const step = { details: [], ...finding, elapsedMs: performance.now() - startMs };
    this.steps.push(step);
    this.#options.onStep(step);
  }
}

function problemLines(problems: readonly EntryProblem[]): string[] {
  return problems.map(({ path, message }) => `${printableName(path)}: ${printableText(message)}`);
}
