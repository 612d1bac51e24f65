import type * as clack from "@clack/prompts";
import { isComebackError } from "@comeback/core";
import type { Discovery } from "./discover-host.ts";
import { namedFolders } from "./setup-plan.ts";

export type Prompts = typeof clack;
/** Passes an answer on, and throws where there was none. */
export type Answered = <T>(answer: T) => Exclude<T, symbol>;

/** What is protected unless the user says otherwise. */
const USUAL: readonly Discovery["kind"][] = ["configuration", "folder", "postgres", "mariadb"];

/** Which of what was found, and what else: one thing at least. */
export async function askSources(
  prompts: Prompts,
  answered: Answered,
  found: readonly Discovery[],
): Promise<Discovery[]> {
  const wanted = found.length === 0 ? [] : await askWhich(prompts, answered, found);
  return [...wanted, ...(await askFolders(prompts, answered, wanted.length === 0))];
}

async function askWhich(
  prompts: Prompts,
  answered: Answered,
  found: readonly Discovery[],
): Promise<Discovery[]> {
  const answer = await prompts.multiselect({
    message: "What is to be protected?",
    options: found.map((one) => ({ value: one, label: one.description })),
    initialValues: found.filter(({ kind }) => USUAL.includes(kind)),
    required: false,
  });
  return answered(answer);
}

async function askFolders(
  prompts: Prompts,
  answered: Answered,
  isNeeded: boolean,
): Promise<Discovery[]> {
  const message = isNeeded
    ? "Which folders? Several with commas between them"
    : "Any other folders? Several with commas between them; Enter for none";
  for (;;) {
    const text = answered(await prompts.text({ message, defaultValue: "" }));
    const paths = text.split(",").map((path) => path.trim());
    try {
      const folders = await namedFolders(paths.filter((path) => path !== ""));
      if (folders.length > 0 || !isNeeded) return folders;
    } catch (error) {
      if (!isComebackError(error, "source.unavailable")) throw error;
      prompts.log.warn(error.message);
    }
  }
}
