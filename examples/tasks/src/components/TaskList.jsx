import { useRef, useState } from 'react';
import { TaskRow } from './TaskRow';

const FILTERS = {
  all: { label: 'All', keeps: () => true, empty: 'Nothing here yet. Add your first task above.' },
  open: { label: 'Open', keeps: (task) => !task.done, empty: 'Nothing left to do.' },
  done: { label: 'Done', keeps: (task) => task.done, empty: 'Nothing done yet.' },
};

/** The tasks, newest first, with a choice of which to show. `tasks` is null until they are known. */
export function TaskList({ tasks, onToggle, onDelete }) {
  const [chosen, setChosen] = useState('all');
  const heading = useRef(null);
  const { keeps, empty } = FILTERS[chosen];
  const visible = tasks?.filter(keeps) ?? [];

  // When a row goes, the keyboard's place goes with it: carry on from the heading.
  const holdFocus = () => heading.current.focus();

  function toggle(task) {
    if (chosen !== 'all') holdFocus();
    onToggle(task);
  }

  async function remove(task) {
    if (await onDelete(task)) holdFocus();
  }

  return (
    <section aria-labelledby="list-heading">
      <div className="bar">
        <h2 id="list-heading" ref={heading} tabIndex={-1}>
          Your list
        </h2>
        <div role="group" aria-label="Show" className="filters">
          {Object.entries(FILTERS).map(([name, { label }]) => (
            <button
              key={name}
              type="button"
              data-testid={`filter-${name}`}
              aria-pressed={name === chosen}
              onClick={() => setChosen(name)}
            >
              {label}
            </button>
          ))}
        </div>
      </div>
      {tasks && visible.length === 0 && <p className="empty">{empty}</p>}
      <ul className="tasks" aria-busy={tasks === null}>
        {visible.map((task) => (
          <TaskRow key={task.id} task={task} onToggle={toggle} onDelete={remove} />
        ))}
      </ul>
    </section>
  );
}
