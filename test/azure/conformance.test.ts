import { after } from "node:test";
import { backendConformance } from "@comeback/testkit";
import { Azurite } from "../services/azurite/azurite.ts";
import { azureFixture } from "./azure-store.ts";

const azurite: Azurite = await Azurite.start();
after(() => azurite[Symbol.asyncDispose]());

backendConformance("azure", () => azureFixture(azurite));
