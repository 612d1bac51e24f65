export { backupLaneId, configurationTimings } from "./scheduler/configuration-lanes.ts";
export type { Lane, LaneJob, LaneTrigger } from "./scheduler/lane.ts";
export type { MissReason } from "./scheduler/schedule-state.ts";
export * from "./scheduler/scheduler.ts";
