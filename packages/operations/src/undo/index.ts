export type { DamagedLine, JournalHeader } from "./journal-lines.ts";
export type { StepState } from "./journal-state.ts";
export {
  type LeftOver,
  listLeftOver,
  undoLeftOver,
  type UndoLeftOverOptions,
} from "./left-over.ts";
export { markedCommandRunner } from "./marked-commands.ts";
export { type UndoExecutor, undoExecutor, type UndoOptions } from "./undo-executor.ts";
export type { ActionServices, SecretResolver, UndoServices } from "./undo-services.ts";
export {
  type StepRequest,
  type UndoHandle,
  UndoStack,
  type UndoStackOptions,
} from "./undo-stack.ts";
export type { HttpCall, TextOrSecret, UndoStep } from "./undo-step.ts";
export {
  damageOf,
  type FailedUndo,
  isClean,
  type UndoReport,
  undoIncomplete,
} from "./undo-steps.ts";
export { runWatchdog, type WatchdogOptions } from "./watchdog.ts";
export type { WatchdogCommand } from "./watchdog-process.ts";
