/** Today where the visitor is, as YYYY-MM-DD. */
export function today() {
  const now = new Date();
  const [month, day] = [now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, '0'));
  return `${now.getFullYear()}-${month}-${day}`;
}

/** A day written YYYY-MM-DD in the visitor's own way of writing dates. */
export function readable(day) {
  // With a time and no zone the day is taken as local; without, as UTC, which may be another day.
  const date = new Date(`${day}T00:00`);
  return Number.isNaN(date.getTime()) ? day : date.toLocaleDateString(undefined, { dateStyle: 'medium' });
}
