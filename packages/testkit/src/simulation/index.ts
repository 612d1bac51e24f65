export { SimulatedBackend } from "./simulated-backend.ts";
export { SimulatedStore } from "./simulated-store.ts";
export {
  SimulatedClient,
  SimulatedProcess,
  type SimulatedTrouble,
  Simulation,
} from "./simulation.ts";
export { Trace } from "./trace.ts";
