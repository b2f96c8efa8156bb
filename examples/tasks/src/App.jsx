import { useCallback, useState } from 'react';
import { NewTask } from './components/NewTask';
import { Session } from './components/Session';
import { Summary } from './components/Summary';
import { TaskList } from './components/TaskList';
import { explain } from './explain';
import { useSession } from './useSession';
import { useTasks } from './useTasks';

export function App() {
  const [problem, setProblem] = useState(null);
  const report = useCallback((error) => setProblem(explain(error)), []);
  const session = useSession(report);
  const { tasks, reload, add, toggle, remove } = useTasks(session.user?.id, report);

  /** Runs one thing that the visitor asked for; true when it worked. */
  async function attempt(action) {
    setProblem(null);
    try {
      await action();
      return true;
    } catch (error) {
      report(error);
      return false;
    }
  }

  return (
    <>
      <header>
        <h1>Tasks</h1>
        <Session session={session} attempt={attempt} />
      </header>
      <main>
        {problem && (
          <div className="problem" role="alert">
            <span data-testid="error">{problem}</span>
            <button type="button" className="quiet" onClick={() => setProblem(null)}>
              Dismiss
            </button>
          </div>
        )}
        <NewTask onAdd={(fields) => attempt(() => add(fields))} />
        <TaskList
          tasks={tasks}
          onToggle={(task) => attempt(() => toggle(task))}
          onDelete={(task) => attempt(() => remove(task))}
        />
        <Summary attempt={attempt} onTidied={reload} />
      </main>
    </>
  );
}
