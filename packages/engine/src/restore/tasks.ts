/** What workers do for a restore. */
export interface RestoreTasks {
  "restore.placeholder": { input: null; output: null };
}
