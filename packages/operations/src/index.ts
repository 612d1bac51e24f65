export * from "./configuration/schema/action.ts";
export * from "./configuration/schema/channel.ts";
export * from "./configuration/schema/configuration.ts";
export * from "./configuration/schema/destination.ts";
export * from "./configuration/schema/plan.ts";
export * from "./configuration/schema/schedule.ts";
export * from "./configuration/schema/source.ts";
export type { SecretReference } from "./configuration/schema/values.ts";
export { configurationJsonSchemaText } from "./configuration/json-schema.ts";
export { configurationReference } from "./configuration/reference-page.ts";
export {
  loadConfiguration,
  type LoadedConfiguration,
  type LoadOptions,
  type Position,
} from "./configuration/load-configuration.ts";
export {
  referenceText,
  resolveSecret,
  resolveText,
  type SecretWorld,
} from "./configuration/secrets.ts";
export { resolvedPlan, resolvedPlanText } from "./configuration/resolved-plan.ts";
