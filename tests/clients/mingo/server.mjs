// The entity of a running Backlot that the cases are put to, over HTTP.

const { SERVER_URL } = process.env;

async function call(method, path, body) {
  const answer = await fetch(`${SERVER_URL}/api/apps/local/entities/Doc${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(`${answer.status} ${text}`);
  }
  return JSON.parse(text);
}

function parameters(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const texts = given.map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : `${value}`]);
  return `?${new URLSearchParams(texts)}`;
}

/** Puts these documents in the place of what was there; each gets its place as `i`. */
export async function fill(documents) {
  await call("DELETE", "", {});
  const numbered = documents.map((document, i) => ({ ...document, i }));
  await call("POST", "/bulk", numbered);
  return numbered;
}

/** Places of the documents that a query finds, in its order. */
export async function places(query) {
  const found = await call("GET", parameters({ fields: "i", sort: "created_date", limit: 5000, ...query }));
  return found.map((document) => document.i);
}

/** The same, page by page. */
export async function pagedPlaces(query) {
  const found = [];
  let cursor;
  do {
    const page = await call("GET", `/v2/list${parameters({ fields: "i", ...query, cursor })}`);
    found.push(...page.items.map((document) => document.i));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

export const count = async (q) => (await call("GET", `/count${parameters({ q })}`)).count;

export const update = (query, data) => call("PATCH", "/update-many", { query, data });

export const aggregate = (spec) => call("POST", "/aggregate", spec);

const BUILT_IN = ["id", "created_date", "updated_date", "created_by_id", "created_by", "is_sample"];

/** All documents without what the server adds, by their places. */
export async function documents() {
  const stored = await call("GET", parameters({ sort: "i", limit: 5000 }));
  const own = ([name]) => !BUILT_IN.includes(name);
  return stored.map((record) => Object.fromEntries(Object.entries(record).filter(own)));
}
