import { simulateMany } from "../simulate-many.ts";

simulateMany(4);
