// One bare start, then eleven bare servers started at once; ends when each has answered once.
// With `stay`, it serves too and goes on: twelve servers.
const program = new URL("./bare_server.ts", import.meta.url).pathname;
const children = Array.from({ length: 11 }, () =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program],
    stdout: "piped",
  }).spawn());
await Promise.all(children.map(async ({ stdout }) => {
  const { value } = await stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  if (await (await fetch(value!.trim())).text() !== "ok") throw new Error("no right answer");
}));
if (Deno.args[0] === "stay") {
  Deno.serve(
    {
      port: 0,
      hostname: "127.0.0.1",
      onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
    },
    () => new Response("ok"),
  );
  Deno.addSignalListener("SIGTERM", stop);
} else stop();

function stop(): void {
  for (const child of children) child.kill("SIGKILL");
  Deno.exit();
}
