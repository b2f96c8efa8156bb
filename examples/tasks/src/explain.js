/**
 * One sentence about an error that a person can act on.
 *
 * Functions reject with the error of the HTTP client, whose answer is under `response`;
 * the rest of the SDK rejects with an error that already carries the server's own message.
 */
export function explain(error) {
  const status = error.status ?? error.response?.status;
  const code = error.code ?? error.originalError?.code;

  if (status === undefined && code === 'ERR_NETWORK') {
    return 'The backend does not answer. Is it still running in your terminal?';
  }
  const message = error.response?.data?.message || error.message || 'Something went wrong.';
  return status >= 500 ? `${message} (The terminal says more.)` : message;
}
