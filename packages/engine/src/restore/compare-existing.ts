import { RESTORE_COMPARE_BYTES, RESTORE_TASK_MAX_FILES } from "@comeback/core";
import { CompareRequest } from "./compare-request.ts";
import type { FileWindow } from "./file-window.ts";
import type { PlannedFile } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";
import { type CompareInput, FileAction, Verdict } from "./tasks.ts";

/** The verdict that counts where parts of one file got different ones: the one further up. */
const PRECEDENCE: readonly Verdict[] = [
  Verdict.directory,
  Verdict.other,
  Verdict.missing,
  Verdict.protected,
  Verdict.unreadable,
  Verdict.differs,
  Verdict.same,
  Verdict.trusted,
];

/**
 * Looks at the files of a window that are there already, and decides what is done with each. The
 * result says for each use of the window whether it need not be written.
 */
export async function compareExisting(run: RestoreRun, window: FileWindow): Promise<Uint8Array> {
  const isKept = new Uint8Array(window.entries.length);
  const verdicts = new Map<PlannedFile, Verdict>();
  // What of an earlier window was updated is compared like any other file.
  await compareIn(run, window, isKept, verdicts, (file) => file.isToCompare, run.overwrite);
  for (const [file, verdict] of verdicts) decide(run, file, verdict);
  const isContinued = (file: PlannedFile): boolean =>
    !verdicts.has(file) && file.action === FileAction.update && !file.isSettled;
  await compareIn(run, window, isKept, new Map(), isContinued, "always");
  for (const [i, file] of window.files.entries()) {
    const [from, to] = [window.firstUse[i], window.firstUse[i + 1]];
    if (file.isSettled || file.action === FileAction.attributes) isKept.fill(1, from, to);
    else if (file.action !== FileAction.update) isKept.fill(0, from, to);
  }
  return isKept;
}

async function compareIn(
  run: RestoreRun,
  window: FileWindow,
  isKept: Uint8Array,
  verdicts: Map<PlannedFile, Verdict>,
  isWanted: (file: PlannedFile) => boolean,
  mode: CompareInput["mode"],
): Promise<void> {
  const requests: Promise<void>[] = [];
  let request = new CompareRequest<{ file: PlannedFile; firstUse: number }>();
  const send = (): void => {
    const sending = request.send(run, mode, ({ subject, blobs }, answer, { index, firstBlob }) => {
      const verdict = answer.verdicts[index] as Verdict;
      const before = verdicts.get(subject.file) ?? Verdict.trusted;
      const further = PRECEDENCE.indexOf(verdict) < PRECEDENCE.indexOf(before) ? verdict : before;
      verdicts.set(subject.file, further);
      isKept.set(answer.matches.subarray(firstBlob, firstBlob + blobs), subject.firstUse);
    });
    requests.push(sending.catch((error: unknown) => run.fail(error)));
    request = new CompareRequest();
  };
  for (const [i, file] of window.files.entries()) {
    if (!isWanted(file)) continue;
    let use = window.firstUse[i] as number;
    const end = window.firstUse[i + 1] as number;
    do {
      request.add(partOf(window, file, use));
      while (use < end && request.bytes < RESTORE_COMPARE_BYTES) {
        request.addBlob(window.entries[use] as number, window.lengths[use] as number);
        use++;
      }
      const isFull = request.parts.length >= RESTORE_TASK_MAX_FILES;
      if (use < end || isFull || request.bytes >= RESTORE_COMPARE_BYTES) send();
    } while (use < end);
  }
  send();
  await Promise.all(requests);
  run.signal.throwIfAborted();
}

function partOf(
  window: FileWindow,
  file: PlannedFile,
  use: number,
): Parameters<CompareRequest<{ file: PlannedFile; firstUse: number }>["add"]>[0] {
  return {
    subject: { file, firstUse: use },
    directory: file.directory.path,
    name: file.name,
    sizeBytes: file.sizeBytes,
    mtime: file.attributes.mtime,
    offset: window.offsets[use] ?? 0,
  };
}

function decide(run: RestoreRun, file: PlannedFile, verdict: Verdict): void {
  file.isToCompare = false;
  const replace = run.mayDelete ? FileAction.replaceAll : FileAction.replace;
  switch (verdict) {
    case Verdict.missing:
      file.action = FileAction.create;
      return;
    case Verdict.protected:
      file.isProtected = true;
      return;
    case Verdict.trusted:
      file.action = FileAction.attributes;
      return;
    case Verdict.same:
      // Only the part of it that is in this window was compared, where there is more.
      file.action = file.isPlanned ? FileAction.attributes : FileAction.update;
      file.isSame = true;
      return;
    case Verdict.differs:
    case Verdict.unreadable:
      file.action = FileAction.update;
      return;
    case Verdict.other:
    case Verdict.directory:
      file.action = replace;
      return;
  }
}
