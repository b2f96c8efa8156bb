import { useCallback, useEffect, useRef, useState } from 'react';
import { base44 } from './base44';

const { Task } = base44.entities;

/** Newest first. Ids grow with time, so they order tasks of the same millisecond. */
function newestFirst(a, b) {
  const [left, right] = [a.created_date + a.id, b.created_date + b.id];
  return left < right ? 1 : left > right ? -1 : 0;
}

function withTask(tasks, task) {
  return [...tasks.filter(({ id }) => id !== task.id), task].sort(newestFirst);
}

function withoutTask(tasks, id) {
  return tasks.filter((task) => task.id !== id);
}

/**
 * The tasks that this visitor may read, kept current, and what can be done to them.
 *
 * `tasks` is null until the first answer. Every action rejects with the SDK's error.
 * `visitor` is anything that changes when another person signs in: they may see other tasks.
 */
export function useTasks(visitor, onError) {
  const [tasks, setTasks] = useState(null);
  const changes = useRef(0);

  const change = useCallback((edit) => {
    changes.current += 1;
    setTasks((current) => current && edit(current));
  }, []);

  const reload = useCallback(async () => {
    let seen;
    let records;
    do {
      seen = changes.current;
      records = await Task.list('-created_date');
      // A list that was under way during a change may be from before it: ask again.
    } while (seen !== changes.current);
    setTasks(records);
  }, []);

  useEffect(() => {
    setTasks(null);
    reload().catch(onError);
  }, [visitor, reload, onError]);

  useEffect(() => {
    const unsubscribe = Task.subscribe(({ type, id, data }) => {
      change((current) => (type === 'delete' ? withoutTask(current, id) : withTask(current, data)));
    });
    // Live updates are a convenience. Looking at the page again brings it up to date
    // without them too, and quietly: nobody asked for anything.
    const refresh = () => reload().catch(() => {});
    window.addEventListener('focus', refresh);
    return () => {
      unsubscribe();
      window.removeEventListener('focus', refresh);
    };
  }, [change, reload]);

  async function add(fields) {
    const created = await Task.create(fields);
    change((current) => withTask(current, created));
  }

  async function toggle(task) {
    const done = !task.done;
    // The tick shows at once and is taken back if the server refuses it.
    change((current) => withTask(current, { ...task, done }));
    try {
      const updated = await Task.update(task.id, { done });
      change((current) => withTask(current, updated));
    } catch (error) {
      change((current) => withTask(current, task));
      throw error;
    }
  }

  async function remove(task) {
    await Task.delete(task.id);
    change((current) => withoutTask(current, task.id));
  }

  return { tasks, reload, add, toggle, remove };
}
