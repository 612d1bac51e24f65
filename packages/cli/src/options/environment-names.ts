/** The value of `COMEBACK_<name>`, or of its restic twin; an empty one counts as not given. */
export function fromEnvironment(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[`COMEBACK_${name}`] || env[`RESTIC_${name}`] || undefined;
}
