import { useState } from 'react';
import { base44 } from '../base44';
import { today } from '../day';

const tasks = (count) => (count === 1 ? '1 task' : `${count} tasks`);

function sentence({ deleted, total, open, done, overdue, urgent }) {
  const parts = [`${tasks(total)}: ${open} open, ${done} done.`];
  if (deleted !== undefined) parts.unshift(`Removed ${tasks(deleted)}.`);
  if (overdue > 0) parts.push(`${overdue} overdue.`);
  if (urgent > 0) parts.push(`${urgent} of high priority.`);
  return parts.join(' ');
}

/** The two backend functions, each behind a button, and the answer of the last one. */
export function Summary({ attempt, onTidied }) {
  const [answer, setAnswer] = useState(null);
  const [busy, setBusy] = useState(false);

  async function run(name, afterwards) {
    setBusy(true);
    setAnswer(null);
    await attempt(async () => {
      const { data } = await base44.functions.invoke(name, { today: today() });
      setAnswer(data);
      await afterwards?.();
    });
    setBusy(false);
  }

  return (
    <section aria-labelledby="functions-heading">
      <h2 id="functions-heading">Functions</h2>
      <div className="actions">
        <button type="button" data-testid="summary-button" disabled={busy} onClick={() => run('summary')}>
          Summary
        </button>
        <button
          type="button"
          data-testid="tidy-button"
          disabled={busy}
          onClick={() => run('tasks/tidy', onTidied)}
        >
          Remove done tasks
        </button>
        {/* Always there, so that a screen reader notices when it is filled. */}
        <p role="status" data-testid="summary">
          {busy ? 'Asking the function…' : answer && sentence(answer)}
        </p>
      </div>
    </section>
  );
}
