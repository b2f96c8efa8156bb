export { createClientFromRequest } from "npm:@base44/sdk@0.8.50";

/** What a promise comes to: its value, or the status and message of its error. */
export async function outcome<T>(promise: Promise<T>) {
  return promise.then(
    (value) => ({ value }),
    (error) => ({ status: error.status, message: error.message }),
  );
}
