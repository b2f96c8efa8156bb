import { createClientFromRequest } from "npm:@base44/sdk@0.8.50";
import { callersToday, summarise } from "../../../shared/tasks.ts";

// Removes every done task and says what is left. The service role may do that whatever the
// rules say, so a function that uses it decides for itself who may call. Here anybody may,
// since anybody may delete a task; with rules, begin with `await base44.auth.me()`.
Deno.serve(async (req) => {
  const { Task } = createClientFromRequest(req).asServiceRole.entities;
  const { deleted } = await Task.deleteMany({ done: true });
  console.log(`removed ${deleted} done task(s)`);

  return Response.json({ deleted, ...summarise(await Task.list(), await callersToday(req)) });
});
