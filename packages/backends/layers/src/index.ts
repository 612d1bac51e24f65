export * from "./connection-limited-backend.ts";
export * from "./metered-backend.ts";
export * from "./rate-limited-backend.ts";
export * from "./read-only-backend.ts";
export { Retrier, type RetryNotice, type RetryObserver, type RetryOptions } from "./retrier.ts";
export * from "./retry-backend.ts";
export * from "./stack-layers.ts";
export * from "./tiered-backend.ts";
