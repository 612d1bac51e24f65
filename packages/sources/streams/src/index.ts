export { joinedSource } from "./joined-source.ts";
export { probeCommand, type ProbedCommand } from "./probe-command.ts";
export { refuseEmpty } from "./refuse-empty.ts";
export {
  commandSource,
  type CommandSourceOptions,
  stdinSource,
  type StdinSourceOptions,
} from "./stdin-source.ts";
export {
  bytesContent,
  NO_TIME,
  placeOf,
  type StreamFile,
  streamsSource,
  type StreamsSourceOptions,
} from "./streams-source.ts";
