export { SimulatedBackend } from "./simulated-backend.ts";
export { SimulatedClient, SimulatedProcess } from "./simulated-process.ts";
export { SimulatedStore } from "./simulated-store.ts";
export { type SimulatedTrouble, Simulation } from "./simulation.ts";
export { Trace } from "./trace.ts";
