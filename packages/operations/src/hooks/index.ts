export {
  type ActionOptions,
  enterMaintenance,
  leaveMaintenance,
  type MaintenanceWindow,
  performAction,
} from "./maintenance.ts";
export {
  type HookFacts,
  type HookMoment,
  type HookOutcome,
  runHooks,
  type RunHooksOptions,
} from "./run-hooks.ts";
