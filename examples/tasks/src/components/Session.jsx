import { useState } from 'react';

/** Who is signed in, or the form to sign in with. */
export function Session({ session, attempt }) {
  const { user, signIn, signOut } = session;
  if (user === undefined) return null;
  if (user === null) return <SignIn onSignIn={(...entry) => attempt(() => signIn(...entry))} />;

  return (
    <div className="session">
      <span>
        Signed in as <strong data-testid="signed-in-as">{user.email}</strong>
      </span>
      <button type="button" data-testid="sign-out" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}

function SignIn({ onSignIn }) {
  const [busy, setBusy] = useState(false);

  async function submit(event) {
    event.preventDefault();
    const entry = new FormData(event.currentTarget);
    setBusy(true);
    await onSignIn(entry.get('email'), entry.get('password'));
    setBusy(false);
  }

  return (
    <form className="session" aria-label="Sign in" onSubmit={submit}>
      <label>
        E-mail
        <input
          type="email"
          name="email"
          data-testid="sign-in-email"
          placeholder="developer@example.com"
          autoComplete="username"
          required
        />
      </label>
      <label>
        Password
        <input
          type="password"
          name="password"
          data-testid="sign-in-password"
          autoComplete="current-password"
          required
        />
      </label>
      <button type="submit" data-testid="sign-in" disabled={busy}>
        Sign in
      </button>
    </form>
  );
}
