import { backendConformance } from "@comeback/testkit";
import { memoryFolder } from "../../drivers/scratch.ts";
import { makeRcloneConfig } from "../../services/rclone/rclone-config.ts";
import { rcloneFixture } from "./rclone-fixture.ts";

const config = makeRcloneConfig(memoryFolder("rclone"));

backendConformance("rclone, a folder", () => rcloneFixture(config, "whole"));
backendConformance("rclone, encrypted", () => rcloneFixture(config, "secret"));
