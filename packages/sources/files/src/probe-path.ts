import { accessSync, constants, lstatSync, opendirSync } from "node:fs";
import { type Finding, messageOf } from "@comeback/core";

/** Whether a path could be backed up now, by the user we are. */
export function probePath(path: string): Finding {
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) {
      return {
        state: "failed",
        subject: path,
        message: "does not exist",
        next: "check the path; where something is to be mounted there, say so with `requires`",
      };
    }
    if (status.isSymbolicLink()) {
      return {
        state: "warning",
        subject: path,
        message: "is a symbolic link: the link is saved, and nothing of what it points to",
        next: "name the folder that it points to",
      };
    }
    accessSync(path, constants.R_OK | (status.isDirectory() ? constants.X_OK : 0));
    if (status.isDirectory() && isEmpty(path)) {
      return {
        state: "warning",
        subject: path,
        message: "is empty: something may not be mounted there",
        next: "look whether that is right; `requires` makes a run wait for a mount",
      };
    }
    return { state: "passed", subject: path, message: "is there and can be read" };
  } catch (error) {
    return {
      state: "failed",
      subject: path,
      message: `cannot be read: ${messageOf(error)}`,
      next: "run as a user who may read it",
    };
  }
}

function isEmpty(path: string): boolean {
  const folder = opendirSync(path);
  try {
    return folder.readSync() === null;
  } finally {
    folder.closeSync();
  }
}
