export type { ByteFaults, Direction } from "./byte-faults.ts";
export * from "./fault-proxy.ts";
export * from "./http-fault-proxy.ts";
