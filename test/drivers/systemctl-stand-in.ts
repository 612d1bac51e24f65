import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./scratch.ts";

/**
 * A stand-in for `systemctl`, where no systemd runs: `show`, `stop` and `start` of units that are
 * files, in the words that systemd 252 prints.
 */
export class SystemctlStandIn {
  readonly #folder: string;
  /** To be the first of PATH. */
  readonly programs: string;

  constructor(folder: string) {
    this.#folder = makeFolder(folder, "units");
    this.programs = makeFolder(folder, "bin");
    const path = join(this.programs, "systemctl");
    writeFileSync(path, SCRIPT.replaceAll("UNITS", this.#folder));
    chmodSync(path, 0o755);
  }

  setUnit(name: string, state: "active" | "inactive" | "failed"): void {
    writeFileSync(join(this.#folder, name), state);
  }

  stateOf(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8").trim();
  }

  /** As in a container without systemd. */
  stopSystemd(): void {
    writeFileSync(join(this.#folder, ".down"), "");
  }

  get calls(): string[] {
    const path = join(this.#folder, ".calls");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
  }
}

const SCRIPT = `#!/bin/sh
cd 'UNITS' || exit 1
if [ -e .down ]; then
  echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2
  exit 1
fi
verb=$1
shift
while [ "$1" != -- ]; do shift; done
shift
echo "$verb $*" >>.calls
for unit in "$@"; do
  case $verb in
    show)
      if [ -e "$unit" ]; then
        echo "LoadState=loaded"
        echo "ActiveState=$(cat "$unit")"
      else
        echo "LoadState=not-found"
        echo "ActiveState=inactive"
      fi
      ;;
    stop) echo inactive >"$unit" ;;
    start) echo active >"$unit" ;;
    *) exit 1 ;;
  esac
done
`;
