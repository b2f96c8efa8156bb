import { useRef, useState } from 'react';

const BLANK = { title: '', priority: 'normal', due_date: '' };

/** The form that adds a task. `onAdd` resolves to true when the task was stored. */
export function NewTask({ onAdd }) {
  const [fields, setFields] = useState(BLANK);
  const [busy, setBusy] = useState(false);
  const title = useRef(null);

  const edit = (event) => setFields({ ...fields, [event.target.name]: event.target.value });

  async function submit(event) {
    event.preventDefault();
    const task = { ...fields, title: fields.title.trim() };
    if (!task.title) return;
    if (!task.due_date) delete task.due_date;

    setBusy(true);
    if (await onAdd(task)) setFields(BLANK);
    setBusy(false);
    title.current.focus();
  }

  return (
    <form className="new-task" aria-label="New task" onSubmit={submit}>
      <label className="title">
        What needs doing?
        <input
          ref={title}
          name="title"
          data-testid="new-task"
          value={fields.title}
          onChange={edit}
          maxLength={200}
          autoComplete="off"
          required
        />
      </label>
      <label>
        Priority
        <select name="priority" value={fields.priority} onChange={edit}>
          <option value="low">Low</option>
          <option value="normal">Normal</option>
          <option value="high">High</option>
        </select>
      </label>
      <label>
        Due
        <input type="date" name="due_date" value={fields.due_date} onChange={edit} />
      </label>
      <button type="submit" className="strong" data-testid="add-task" disabled={busy}>
        Add
      </button>
    </form>
  );
}
