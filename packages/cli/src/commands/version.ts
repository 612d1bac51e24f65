import type { CommandModule } from "../program.ts";
import { VERSION } from "../version.ts";

export const define: CommandModule["define"] = (command, run) => {
  command.action(
    run(async ({ terminal, globals }) => {
      const { version: node, platform, arch } = process;
      terminal.print(
        globals.json
          ? JSON.stringify({
              message_type: "version",
              version: VERSION,
              node_version: node,
              os: platform,
              arch,
            })
          : `comeback ${VERSION} (Node.js ${node}, ${platform} ${arch})`,
      );
      return 0;
    }),
  );
};
