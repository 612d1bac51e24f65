import {
  ComebackError,
  formatBytes,
  formatMany,
  type PinnedSource,
  type SnapshotRecord,
} from "@comeback/core";
import type { SourceSettings } from "../configuration/schema/source.ts";
import { type Capture, captureSource, type ChangeDetection } from "./capture-source.ts";
import { pinSource } from "./pin-source.ts";
import { momentOf, runHookList } from "./run-hook-list.ts";
import { type ActiveStage, textOf, worse } from "./run-recorder.ts";
import {
  failSource,
  type RunState,
  saveRecords,
  type SourceRun,
  writtenDestinations,
} from "./run-state.ts";

/** Captures one source with its hooks around that, and writes down what became of it. */
export async function captureStage(
  state: RunState,
  source: SourceRun,
  until?: AbortSignal,
): Promise<void> {
  const { name: subject, settings } = source;
  const { hooks } = settings;
  const begun = await runHookList(state, { hooks, when: "start", subject });
  if (begun.outcome === "ok" || begun.outcome === "warning") {
    state.recorder.note(begun.outcome, begun.message, subject);
    await capture(state, source, until);
  } else {
    await leaveOut(state, source, begun);
  }
  const when = momentOf(source.outcome);
  const facts = { outcome: source.outcome };
  const ended = await runHookList(state, { hooks, when, subject, facts });
  state.recorder.note(ended.outcome, ended.message, subject);
}

/** A hook has said that the source is not to be captured now. */
async function leaveOut(
  { recorder }: RunState,
  source: SourceRun,
  { outcome, message = "its hook said so" }: Awaited<ReturnType<typeof runHookList>>,
): Promise<void> {
  await recorder.stage({ stage: "capture", subject: source.name }, async (stage) => {
    if (outcome === "failed") throw new ComebackError("action.failed", message);
    stage.skip(message);
  });
  failSource(source, message);
  source.outcome = outcome === "failed" ? "failed" : "skipped";
}

async function capture(
  state: RunState,
  source: SourceRun,
  until: AbortSignal | undefined,
): Promise<void> {
  const { recorder } = state;
  const { name, settings } = source;
  // A second try of what was pinned at rest would show a service at work.
  const retries = source.isPinnedAtRest ? undefined : settings.retries;
  const timeoutMs = settings.timeout;
  const wish = { stage: "capture", subject: name, retries, timeoutMs, until } as const;
  const result = await recorder.stage(wish, (stage) => captureOnce(state, source, stage));
  if (!result.ok) {
    failSource(source, textOf(result.error));
    return;
  }
  source.outcome = worse(source.outcome, result.outcome);
  for (const { destination, error } of result.value.failed) {
    state.destinations.delete(destination.name);
    recorder.note("failed", textOf(error), destination.name);
    await destination.close().catch((left: unknown) => {
      recorder.log("warning", textOf(left), { subject: destination.name });
    });
  }
}

async function captureOnce(
  state: RunState,
  source: SourceRun,
  stage: ActiveStage,
): Promise<Capture> {
  const { settings } = source;
  const destinations = writtenDestinations(state);
  if (destinations.length === 0) {
    throw new ComebackError("backup.destination", "there is no destination left to write to", {
      next: "see above why each of them failed",
    });
  }
  const pin = async (): Promise<PinnedSource> => {
    const { pinned } = source;
    source.pinned = undefined;
    if (pinned === undefined && source.isPinnedAtRest) throw momentPassed();
    return pinned ?? (await pinSource(state, source, stage));
  };
  const done = await captureSource({
    state,
    source,
    detection: detectionOf(settings),
    pin,
    destinations,
    stage,
  });
  source.capture = done;
  await writeDown(state, source, { capture: done, stage });
  return done;
}

function momentPassed(): ComebackError {
  return new ComebackError("source.unavailable", "its moment has passed", {
    why: "it was fixed while the service was at rest, and can be read only once",
    next: "the next run makes up for it",
  });
}

/** How changes of files are noticed, where the source is one of files. */
function detectionOf(settings: SourceSettings): ChangeDetection {
  if (settings.kind !== "files" && settings.kind !== "configuration") return {};
  const { ignoreCtime, ignoreInode, withAtime } = settings.settings;
  return { ignoreCtime, ignoreInode, withAtime };
}

interface Found {
  readonly capture: Capture;
  readonly stage: ActiveStage;
}

/** Tells what was captured, and writes it down. */
async function writeDown(state: RunState, source: SourceRun, found: Found): Promise<void> {
  const { capture: done, stage } = found;
  const { request, runId } = state;
  const { summary } = done.result;
  const { amount, deviations, isCompared, outcome } = done.judgement;
  source.deviations = deviations;
  source.isCompared = isCompared;
  source.outcome = worse(source.outcome, tell(state, source, found));
  source.records = done.stored.map(({ destination, snapshot, copiedFrom }): SnapshotRecord => ({
    ...amount,
    runId,
    plan: request.plan,
    source: source.name,
    destination: destination.name,
    snapshotId: snapshot.id,
    copiedFrom,
    storedBytes: summary.data_added_packed,
    outcome,
  }));
  await saveRecords(state, source);
  const { total_files_processed: files, total_bytes_processed: bytes } = summary;
  const added = `${formatBytes(summary.data_added)} new, ${formatBytes(summary.data_added_packed)} stored`;
  stage.log(`${formatMany(files, "file")}, ${formatBytes(bytes)}; ${added}`);
}

/** Says what is not as it should be; resolves to how bad that is. */
function tell(
  { recorder, request }: RunState,
  source: SourceRun,
  { capture: done, stage }: Found,
): "ok" | "warning" | "failed" {
  const where = { stage: "capture", subject: source.name } as const;
  const { problemCount } = done.result;
  const { missing } = done.judgement;
  let isFailure = false;
  for (const { message, reaction } of source.deviations) {
    stage.warn(message);
    if (reaction !== "fail") continue;
    isFailure = true;
    recorder.note("failed", message, source.name);
  }
  if (source.deviations.length > 0) {
    const accept = `comeback run ${request.plan} --only ${source.name} --accept`;
    recorder.log("warning", `where that is right as it is: \`${accept}\``, where);
  }
  if (problemCount > 0) {
    stage.warn(`${formatMany(problemCount, "file")} could not be read as they should be`);
  }
  for (const { kind, name, reason } of missing) {
    recorder.log("error", `${kind} ${name} is missing: ${reason}`, where);
  }
  const [first] = missing;
  if (first !== undefined) {
    const message = `${missing.length} missing: ${first.name}: ${first.reason}`;
    stage.warn(message);
    recorder.note("failed", message, source.name);
    return "failed";
  }
  if (isFailure) return "failed";
  return problemCount > 0 || source.deviations.length > 0 ? "warning" : "ok";
}
