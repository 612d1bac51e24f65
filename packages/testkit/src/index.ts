export * from "./backend-conformance/index.ts";
export * from "./faulty-backend.ts";
export * from "./memory-backend.ts";
export * from "./s3-stand-in/index.ts";
export * from "./seeded-random.ts";
export * from "./simulated-clock.ts";
export * from "./simulation/index.ts";
export * from "./trees/index.ts";
