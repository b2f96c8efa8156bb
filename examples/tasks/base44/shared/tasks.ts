// Code that several functions use. Whatever is in base44/shared is deployed with each of them.

export interface Task {
  id: string;
  title: string;
  done: boolean;
  priority: "low" | "normal" | "high";
  /** YYYY-MM-DD */
  due_date?: string | null;
}

export interface Summary {
  total: number;
  open: number;
  done: number;
  /** Open tasks whose last day is past. */
  overdue: number;
  /** Open tasks of high priority. */
  urgent: number;
}

/** Counts tasks as of `today`, a day written YYYY-MM-DD. */
export function summarise(tasks: Task[], today: string): Summary {
  const open = tasks.filter((task) => !task.done);
  return {
    total: tasks.length,
    open: open.length,
    done: tasks.length - open.length,
    // Days written this way sort as text.
    overdue: open.filter((task) => task.due_date && task.due_date < today).length,
    urgent: open.filter((task) => task.priority === "high").length,
  };
}

/**
 * The day it is for the caller, who may send it as `today`; a caller who sends
 * nothing usable, such as a bare curl, gets the day it is in UTC.
 */
export async function callersToday(req: Request): Promise<string> {
  const body = await req.json().catch(() => null);
  const today = body?.today;
  return /^\d{4}-\d{2}-\d{2}$/.test(today) ? today : new Date().toISOString().slice(0, 10);
}
