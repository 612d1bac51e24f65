import { backendConformance } from "@comeback/testkit";
import { localFixture } from "./scratch.ts";

backendConformance("local", () => localFixture());
