import { getAccessToken } from '@base44/sdk';
import { useEffect, useState } from 'react';
import { base44 } from './base44';

// After a refused sign-in the SDK may reload the page to end the session on the server
// as well. What went wrong waits here meanwhile.
const REFUSAL = 'tasks-example-sign-in-refused';
const UNKNOWN = 'Nobody with that e-mail and password has an account here.';

/**
 * Who is signed in: `user` is null for an anonymous visitor, undefined while that is not known.
 * Every action but `signOut` rejects with an error fit to show.
 */
export function useSession(onError) {
  const [user, setUser] = useState(() => (getAccessToken() ? undefined : null));

  useEffect(() => {
    const refusal = sessionStorage.getItem(REFUSAL);
    sessionStorage.removeItem(REFUSAL);
    if (refusal) onError(new Error(refusal));

    if (!getAccessToken()) return;
    base44.auth.me().then(setUser, (error) => {
      setUser(null);
      // A token of another project or of an expired session: simply not signed in.
      if (error.status !== 401) onError(error);
    });
  }, [onError]);

  /** Uses a token from now on, for the live connection as well. */
  async function enter(token) {
    base44.setToken(token);
    setUser(await base44.auth.me());
  }

  async function signIn(email, password) {
    try {
      const { access_token } = await base44.auth.loginViaEmailPassword(email, password);
      await enter(access_token);
    } catch (error) {
      if (error.status !== 401) throw error;
      sessionStorage.setItem(REFUSAL, UNKNOWN);
      throw new Error(UNKNOWN);
    }
  }

  /** Begins an account; it is there once its code is confirmed. */
  const signUp = (email, password) => base44.auth.register({ email, password });

  async function confirm(email, code) {
    const { access_token } = await base44.auth.verifyOtp({ email, otpCode: code });
    await enter(access_token);
  }

  const rename = async (nickname) => setUser(await base44.auth.updateMe({ nickname }));

  // Ends in a visit to the server, which sends the browser back here.
  const signOut = () => base44.auth.logout(window.location.href);

  return { user, signIn, signUp, confirm, rename, signOut };
}
