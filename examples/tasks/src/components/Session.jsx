import { useState } from 'react';

/** Who is signed in, or the forms with which to sign in or up. */
export function Session({ session, attempt }) {
  const { user, signIn, signUp, confirm, rename, signOut } = session;
  const [newcomer, setNewcomer] = useState(null);

  if (user === undefined) return null;
  if (user) return <Account user={user} onRename={(name) => attempt(() => rename(name))} onSignOut={signOut} />;
  if (newcomer) {
    return (
      <Code
        email={newcomer}
        onCode={(code) => attempt(() => confirm(newcomer, code))}
        onCancel={() => setNewcomer(null)}
      />
    );
  }
  return (
    <Credentials
      onSignIn={(email, password) => attempt(() => signIn(email, password))}
      onSignUp={async (email, password) => {
        if (await attempt(() => signUp(email, password))) setNewcomer(email);
      }}
    />
  );
}

function Account({ user, onRename, onSignOut }) {
  function submit(event) {
    event.preventDefault();
    const input = event.currentTarget.elements.nickname;
    onRename(input.value.trim());
    input.blur();
  }

  return (
    <div className="session">
      <span>
        Signed in as <strong data-testid="signed-in-as">{user.nickname || user.email}</strong>
      </span>
      <form aria-label="Nickname" onSubmit={submit}>
        <input
          name="nickname"
          data-testid="nickname"
          aria-label="Nickname"
          placeholder="Nickname"
          defaultValue={user.nickname}
          maxLength={40}
          autoComplete="nickname"
        />
      </form>
      <button type="button" data-testid="sign-out" onClick={onSignOut}>
        Sign out
      </button>
    </div>
  );
}

/** One form, two buttons: which of them was pressed decides what is asked. */
function Credentials({ onSignIn, onSignUp }) {
  const [busy, setBusy] = useState(false);

  async function submit(event) {
    event.preventDefault();
    const entry = new FormData(event.currentTarget);
    const ask = event.nativeEvent.submitter?.value === 'sign-up' ? onSignUp : onSignIn;
    setBusy(true);
    await ask(entry.get('email'), entry.get('password'));
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
      <button type="submit" value="sign-up" className="quiet" data-testid="sign-up" disabled={busy}>
        Sign up
      </button>
    </form>
  );
}

/** While developing, the code is in the terminal: no mail is sent. */
function Code({ email, onCode, onCancel }) {
  function submit(event) {
    event.preventDefault();
    onCode(new FormData(event.currentTarget).get('code').trim());
  }

  return (
    <form className="session" aria-label="Verification code" onSubmit={submit}>
      <label>
        Code for {email}, from the terminal
        <input
          name="code"
          data-testid="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
        />
      </label>
      <button type="submit" data-testid="confirm">
        Confirm
      </button>
      <button type="button" className="quiet" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
