import type { FastifyInstance } from "fastify";
import { END_STATES } from "../../../domain/command.ts";
import type { Database } from "../../store/database.ts";
import { readTotals, type Totals } from "../../store/views/totals-view.ts";
import type { OperatorGuard } from "./operator-guard.ts";
import { OperatorProblem } from "./operator-problem.ts";

/** For those who watch the center itself. `/health` is open, as it says nothing but that. */
export function addWatchRoutes(
  app: FastifyInstance,
  guard: OperatorGuard,
  parts: { readonly database: Database; readonly watchers: () => number },
): void {
  const { database, watchers } = parts;
  app.get("/health", { schema: { summary: "Whether the center and its database answer" } }, async () => {
    try {
      await database.query({ name: "health", text: "select 1" }, []);
    } catch {
      throw new OperatorProblem("unavailable", "the center's database does not answer: see the center's log");
    }
    return { status: "ok" };
  });
  const schema = {
    summary: "Prometheus text: links, records, commands, memory",
    description: "Needs the role viewer.",
    security: [{ token: [] }],
  };
  app.get(
    "/metrics",
    { schema, onRequest: (request) => guard.admit(request, "viewer") },
    async (_request, reply) => {
      reply.type("text/plain; version=0.0.4; charset=utf-8");
      return formatMetrics(await readTotals(database), watchers());
    },
  );
}

function formatMetrics(totals: Totals, watchers: number): string {
  const ended = Object.fromEntries(END_STATES.map((name) => [name, totals.commands[name] ?? 0]));
  const open = Object.entries(totals.commands).reduce(
    (sum, [name, count]) => (name in ended ? sum : sum + count),
    0,
  );
  const links = { up: 0, degraded: 0, down: 0, ...totals.gateways };
  return [
    ...family("nerve_gateways", "gauge", "Gateways by the state of their link.", "link", links),
    ...family(
      "nerve_records_ingested_total",
      "counter",
      "Records durable here, by lane.",
      "lane",
      totals.records,
    ),
    ...family("nerve_commands_ended_total", "counter", "Commands by how they ended.", "end", ended),
    ...single("nerve_commands_open", "gauge", "Commands that are not over.", open),
    ...single(
      "nerve_records_quarantined_total",
      "counter",
      "Records that could not be taken.",
      totals.quarantined,
    ),
    ...single("nerve_watchers", "gauge", "Open event streams.", watchers),
    ...single("process_resident_memory_bytes", "gauge", "Memory of this process.", process.memoryUsage.rss()),
    "",
  ].join("\n");
}

function family(
  name: string,
  kind: "gauge" | "counter",
  help: string,
  label: string,
  values: Readonly<Record<string, number>>,
): readonly string[] {
  const lines = Object.entries(values).map(([key, value]) => `${name}{${label}="${key}"} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines];
}

function single(name: string, kind: "gauge" | "counter", help: string, value: number): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, `${name} ${value}`];
}
