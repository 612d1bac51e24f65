export { protectConfiguration, type ProtectConfigurationOptions } from "./protect-configuration.ts";
export type { ReportName } from "./reports.ts";
