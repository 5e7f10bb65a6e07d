import { engineAt } from "../../../drivers/docker/engine.ts";
import { engineAddress } from "../../../drivers/docker/engine_address.ts";
import { LABELS, withLabels } from "../../../drivers/docker/names.ts";
import { NotMeasured, type Row } from "../row.ts";
import { timeToAnswer } from "./start.ts";

const APP = "mp-bench-containers";
const NETWORK = "mp-bench-containers-bare";
const LEAVES = 10;
const SERVER = `Deno.serve({ port: 3000, onListen() {} }, () => new Response("1"));`;

/** From the start of the launcher to the first right answer of eleven containers, whose image is there. */
export const containers: Row = {
  name: "containers",
  title: "11 containers, start of the launcher to first right answer",
  unit: "ms",
  against: "`docker run -d` of the same image in a network, eleven times side by side",
  target: 1.5,
  better: "less",
  async prepare() {
    const engine = engineAt(engineAddress((name) => Deno.env.get(name) || undefined));
    try {
      await engine.json("GET", "/version");
      await docker("version");
    } catch (error) {
      throw new NotMeasured((error as Error).message);
    }
    const start = () => timeToAnswer(LEAVES, "--driver", "docker", "--name", APP);
    // makes the image
    await start();
    const filters = withLabels({ [LABELS.app]: APP, [LABELS.kind]: "image" });
    await docker("network", "create", NETWORK);
    const [image] = await engine.json("GET", "/images/json", { query: { filters } });
    const tag: string = image.RepoTags[0];
    return {
      sides: [
        { name: "mp", measure: start },
        { name: "docker run -d", measure: () => runAll(tag, { network: NETWORK }) },
        { name: "until all answer", measure: () => runAll(tag, { network: NETWORK, wait: true }) },
        { name: "without network", measure: () => runAll(tag, {}) },
      ],
      async [Symbol.asyncDispose]() {
        await docker("network", "rm", NETWORK);
        await docker("rmi", tag);
      },
    };
  },
};

/**
 * Runs bare servers in containers.
 *
 * @param options In which network, and whether to wait until all answer rather than until all are started.
 * @returns How long it took, in milliseconds.
 */
async function runAll(
  tag: string,
  { network = "bridge", wait = false }: { readonly network?: string; readonly wait?: boolean },
): Promise<number> {
  const command = ["/mp/deno", "eval", "--no-config", SERVER];
  const ids: string[] = [];
  const before = performance.now();
  await Promise.all(Array.from({ length: LEAVES + 1 }, async () => {
    const id = await docker("run", "-d", "--init", "--network", network, tag, ...command);
    ids.push(id);
    if (wait) await untilAnswers(id);
  }));
  const took = performance.now() - before;
  await docker("rm", "-f", ...ids);
  return took;
}

async function untilAnswers(id: string): Promise<void> {
  const address = await docker(
    "inspect",
    "-f",
    "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
    id,
  );
  for (;;) {
    try {
      const response = await fetch(`http://${address}:3000`);
      if (await response.text() === "1") return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

async function docker(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("docker", { args: [...args] })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim());
  return decoder.decode(stdout).trim();
}
