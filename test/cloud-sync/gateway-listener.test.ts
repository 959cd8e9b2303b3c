import t from "tap";
import { enrolGateway, openTestCenter, reading, rowsOf } from "./center-for-tests.ts";

t.test("a gateway enrols, says HELLO, tells its catalogue and stores a batch over mutual TLS", async (t) => {
  const center = await openTestCenter(t);
  const gateway = await enrolGateway(center);
  const welcome = await gateway.hello();
  t.match(welcome.data, { session: "1.1", credits: 12, catalogueHash: null, cursors: [] });
  t.equal((await gateway.tellCatalogue()).status, 200);
  const answer = await gateway.send(
    gateway.readings(1, [reading(), reading({ number: 2, stateVersion: 2 })]),
  );
  t.strictSame(answer.data, { outcomes: [{ first: 1, count: 2, outcome: "stored" }] });
  t.equal((await rowsOf(center.database, "select * from readings")).length, 2);
});
