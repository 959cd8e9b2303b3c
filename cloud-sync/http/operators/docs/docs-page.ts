import { z } from "zod";

const jsonSchema = z.looseObject({});
const operation = z.looseObject({
  summary: z.string().default(""),
  description: z.string().default(""),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        schema: jsonSchema,
      }),
    )
    .default([]),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: jsonSchema.optional() })) })
    .optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string().default("") })).default({}),
});
const document = z.looseObject({
  info: z.looseObject({ title: z.string(), description: z.string().default("") }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

/** The OpenAPI document as one page without a script and without anything from elsewhere. */
export function renderDocs(openapi: unknown): string {
  const { info, paths } = document.parse(openapi);
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => renderOperation(`${method.toUpperCase()} ${path}`, each)),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title>
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<header><h1>${escapeHtml(info.title)}</h1></header>
<main>
<p>${escapeHtml(info.description)}</p>
<p><a href="/docs/openapi.json">OpenAPI document</a> · <a href="/">console</a></p>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

function renderOperation(title: string, each: z.infer<typeof operation>): string {
  const parameters = each.parameters.map(
    (parameter) =>
      `<tr><td><code>${escapeHtml(parameter.name)}</code></td><td>${escapeHtml(parameter.in)}${parameter.required ? ", required" : ""}</td><td><code>${escapeHtml(JSON.stringify(parameter.schema))}</code></td></tr>`,
  );
  const body = each.requestBody?.content["application/json"]?.schema;
  const answers = Object.entries(each.responses).map(
    ([status, answer]) =>
      `<li><code>${escapeHtml(status)}</code> ${escapeHtml(answer.description)}${schemaOf(answer)}</li>`,
  );
  return `<section>
<h2><code>${escapeHtml(title)}</code></h2>
<p>${escapeHtml(each.summary)}. ${escapeHtml(each.description)}</p>
${parameters.length === 0 ? "" : `<table><tbody>${parameters.join("")}</tbody></table>`}
${body === undefined ? "" : `<h3>Body</h3><pre>${escapeHtml(JSON.stringify(body, null, 2))}</pre>`}
<h3>Answers</h3>
<ul>${answers.join("")}</ul>
</section>`;
}

function schemaOf(answer: Readonly<Record<string, unknown>>): string {
  const content = z
    .looseObject({ "application/json": z.looseObject({ schema: jsonSchema }) })
    .safeParse(answer["content"]);
  if (!content.success) return "";
  const text = JSON.stringify(content.data["application/json"].schema, null, 2);
  return `<details><summary>schema</summary><pre>${escapeHtml(text)}</pre></details>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
