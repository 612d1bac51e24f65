export * from "./check-contents.ts";
export * from "./check-creation.ts";
export type { CheckStage } from "./check-stage.ts";
export * from "./check-visibility.ts";
export * from "./contract-breach.ts";
export * from "./measure-speed.ts";
export * from "./run-probe.ts";
