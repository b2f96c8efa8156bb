// The module `base44:runtime`. Its work is done by a global that the bootstrap installs before any user code runs.
const runtime = globalThis.Base44;

export const secrets = Object.freeze({ get: (name) => runtime.secrets.get(name) });
export const waitUntil = (promise) => runtime.waitUntil(promise);
