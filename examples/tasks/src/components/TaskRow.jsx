import { readable, today } from '../day';

export function TaskRow({ task, onToggle, onDelete }) {
  const overdue = !task.done && task.due_date && task.due_date < today();

  return (
    <li data-testid="task" data-done={task.done}>
      <label>
        <input
          type="checkbox"
          data-testid="task-toggle"
          checked={task.done}
          onChange={() => onToggle(task)}
        />
        <span className="what">{task.title}</span>
      </label>
      {task.priority === 'high' && <span className="tag high">High</span>}
      {task.priority === 'low' && <span className="tag">Low</span>}
      {task.due_date && (
        <time className={overdue ? 'tag high' : 'tag'} dateTime={task.due_date}>
          {overdue ? 'Overdue: ' : 'Due '}
          {readable(task.due_date)}
        </time>
      )}
      <button
        type="button"
        className="quiet"
        data-testid="task-delete"
        aria-label={`Delete ${task.title}`}
        onClick={() => onDelete(task)}
      >
        Delete
      </button>
    </li>
  );
}
