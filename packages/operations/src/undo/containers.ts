import { ComebackError } from "@comeback/core";
import { runProgram, runProgramWell } from "./run-program.ts";
import type { ActionServices } from "./undo-services.ts";
import type { ContainerEngineName } from "./undo-step.ts";

export interface Container {
  readonly engine: ContainerEngineName;
  readonly name: string;
}

/** "running", "paused", "exited" …; `undefined` where there is none of that name. */
export async function containerState(
  { engine, name }: Container,
  services: ActionServices,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { timeoutMs, signal } = options;
  const format = "{{.State.Status}}";
  const argv = [engine, "inspect", "--type", "container", "--format", format, "--", name] as const;
  const result = await runProgram({ argv, timeoutMs }, services, signal);
  if (result.exitCode === 0) return result.stdout.trim();
  if (/no such (?:container|object)|no container with/i.test(result.lastWords)) return undefined;
  throw new ComebackError("action.failed", `${engine} does not tell about the container ${name}`, {
    why: result.hasTimedOut ? `it had not answered after ${timeoutMs / 1000} s` : result.lastWords,
    next: `see what \`${engine} inspect ${name}\` says`,
    retryable: true,
  });
}

/** The engine that is there: podman, or else docker. */
export async function findEngine(
  services: ActionServices,
  signal: AbortSignal,
): Promise<ContainerEngineName> {
  for (const engine of ["podman", "docker"] as const) {
    try {
      await services.runner.run({ argv: [engine, "--version"], signal });
      return engine;
    } catch (error) {
      if (!(error instanceof ComebackError && error.code === "command.missing")) throw error;
    }
  }
  throw new ComebackError("command.missing", "there is neither podman nor docker", {
    why: "a container is to be stopped, paused or entered, and no program knows of containers",
    next: "install the package podman, or the command line of docker",
  });
}

/**
 * Starts a container that we stopped. A stop that was interrupted may go on by itself: the container
 * has been told to end, and does so in its own time. Then it is stopped to the end first, for a start
 * in between would find it running and do nothing.
 */
export async function startContainer(
  container: Container,
  services: ActionServices,
  options: {
    readonly isInterrupted: boolean;
    readonly stopTimeoutMs: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { isInterrupted, stopTimeoutMs, timeoutMs, signal } = options;
  const { engine, name } = container;
  // One that has been removed meanwhile is nobody's to start; a new one of its name is found here.
  if ((await containerState(container, services, options)) === undefined) return;
  if (isInterrupted) {
    const argv = stopContainerArgv(container, stopTimeoutMs);
    await runProgramWell({ argv, timeoutMs: stopTimeoutMs + timeoutMs }, services, signal);
  }
  await runProgramWell({ argv: [engine, "start", "--", name], timeoutMs }, services, signal);
}

export async function unpauseContainer(
  container: Container,
  services: ActionServices,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  if ((await containerState(container, services, options)) !== "paused") return;
  const { engine, name } = container;
  const argv = [engine, "unpause", "--", name] as const;
  await runProgramWell({ argv, timeoutMs: options.timeoutMs }, services, options.signal);
}

export function stopContainerArgv(
  { engine, name }: Container,
  stopTimeoutMs: number,
): readonly [string, ...string[]] {
  return [engine, "stop", "-t", String(Math.ceil(stopTimeoutMs / 1000)), "--", name];
}
