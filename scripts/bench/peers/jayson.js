// jayson on Node, with which the original of `mp` served.
import jayson from "jayson";

const server = jayson.server({
  echo: (params, done) => done(null, { "request-was": params[0] }),
}).http();
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
