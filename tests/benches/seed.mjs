// The records that both servers are filled with: the same data in the same order, half of them the developer's, half nobody's.

/** Records a request: the official server refuses bodies over 100 kB. */
const BATCH = 100;
/** Records that an equality filter finds, whatever the number of records. */
export const MATCHES = 10;
export const KEY = "k42";

const NOTE = "A sentence or two about what is to be done, as a person would write it into a form. ".repeat(2);

/** Every second batch is the developer's, the last one too; each key occurs as often in both halves. */
function batch(number, total) {
  const keys = total / MATCHES;
  const first = Math.floor(number / 2) * BATCH;
  return Array.from({ length: BATCH }, (_, offset) => ({
    title: `Task ${number * BATCH + offset}`,
    key: `k${(first + offset) % keys}`,
    status: ["open", "doing", "done"][offset % 3],
    note: NOTE,
    amount: offset,
  }));
}

/** Fills an entity with records `from` up to `total`, which are multiples of twice the batch. */
export async function seed(server, entity, total, { from = 0, token } = {}) {
  for (let number = from / BATCH; number < total / BATCH; number += 1) {
    await server.call("POST", server.path(entity, "/bulk"), { body: batch(number, total), token: number % 2 ? token : undefined });
  }
}
