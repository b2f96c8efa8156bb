import { createClientFromRequest } from "npm:@base44/sdk@0.8.50";
import { callersToday, summarise } from "../../shared/tasks.ts";

// Counts the tasks that the caller may read: this client acts as whoever sent the request.
Deno.serve(async (req) => {
  const { Task } = createClientFromRequest(req).entities;
  return Response.json(summarise(await Task.list(), await callersToday(req)));
});
