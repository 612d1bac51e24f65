import koffi from "koffi";

type NativeFunction = (...values: unknown[]) => unknown;

/**
 * Functions of a library that is already part of the Node process (libzstd, libcrypto), by their C
 * prototypes. `undefined` where this build of Node does not export them: callers then take the
 * slower way through Node's own API.
 */
export function processFunctions<Name extends string>(
  prototypes: Readonly<Record<Name, string>>,
): Record<Name, NativeFunction> | undefined {
  try {
    const process = koffi.load(null);
    const functions: Partial<Record<Name, NativeFunction>> = {};
    for (const name of Object.keys(prototypes) as Name[]) {
      functions[name] = process.func(prototypes[name]) as NativeFunction;
    }
    return functions as Record<Name, NativeFunction>;
  } catch {
    return undefined;
  }
}
