export * from "./configuration/schema/action.ts";
export * from "./configuration/schema/channel.ts";
export * from "./configuration/schema/configuration.ts";
export * from "./configuration/schema/destination.ts";
export * from "./configuration/schema/plan.ts";
export * from "./configuration/schema/schedule.ts";
export * from "./configuration/schema/source.ts";
export type { SecretReference } from "./configuration/schema/values.ts";
