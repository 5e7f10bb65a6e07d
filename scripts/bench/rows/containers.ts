import { engineAt } from "../../../drivers/docker/engine.ts";
import { engineAddress } from "../../../drivers/docker/engine_address.ts";
import { LABELS, withLabels } from "../../../drivers/docker/names.ts";
import { NotMeasured, type Row } from "../row.ts";
import { timeToAnswer } from "./start.ts";

const APP = "mp-bench-containers";
const LEAVES = 10;
const SERVER = `Deno.serve({ port: 3000, onListen() {} }, () => new Response("1"));`;

/** From the start of the launcher to the first right answer of eleven containers, whose image is there. */
export const containers: Row = {
  name: "containers",
  title: "11 containers, start of the launcher to first right answer",
  unit: "ms",
  against: "`docker run -d` of the same image eleven times side by side",
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
    const [image] = await engine.json("GET", "/images/json", { query: { filters } });
    const tag: string = image.RepoTags[0];
    return {
      sides: [
        { name: "mp", measure: start },
        { name: "docker run -d", measure: () => runAll(tag, async () => {}) },
        { name: "until they answer", measure: () => runAll(tag, untilAnswers) },
      ],
      async [Symbol.asyncDispose]() {
        await docker("rmi", tag);
      },
    };
  },
};

/** Runs bare servers in containers. @returns How long it took until each was as wanted, in milliseconds. */
async function runAll(tag: string, wanted: (id: string) => Promise<void>): Promise<number> {
  const command = ["/mp/deno", "eval", "--no-config", SERVER];
  const ids: string[] = [];
  const before = performance.now();
  await Promise.all(Array.from({ length: LEAVES + 1 }, async () => {
    const id = await docker("run", "-d", "--init", "-e", "DENO_DIR=/tmp/.deno", tag, ...command);
    ids.push(id);
    await wanted(id);
  }));
  const took = performance.now() - before;
  await docker("rm", "-f", ...ids);
  return took;
}

async function untilAnswers(id: string): Promise<void> {
  const address = await docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", id);
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
