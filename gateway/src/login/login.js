// The sign-in page: asks the server's own account routes and takes the token back to the app.
const { auth, developer, return: returnTo } = document.body.dataset;
const byId = (id) => document.getElementById(id);
const status = byId("status");

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

async function post(route, body) {
  const answer = await fetch(`${auth}/${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const result = await answer.json();
  // 401 is how the platform says that there is no such account.
  if (answer.status === 401) throw new Error("There is no account with this e-mail.");
  if (!answer.ok) throw new Error(result.message);
  return result;
}

function leave(token) {
  if (!returnTo) {
    say("Signed in. Open the app to go on.");
    return;
  }
  const target = new URL(returnTo, location.href);
  target.searchParams.set("access_token", token);
  location.assign(target);
}

function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say("…");
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

let pending = "";

// The developer's own account takes any password.
onSubmit(byId("developer"), async () => {
  const { access_token } = await post("login", { email: developer, password: "developer" });
  leave(access_token);
});

onSubmit(byId("login"), async (fields) => {
  const { access_token } = await post("login", fields);
  leave(access_token);
});

onSubmit(byId("register"), async (fields) => {
  await post("register", fields);
  pending = fields.email;
  byId("verify").hidden = false;
  byId("code").focus();
  say("The verification code is in the terminal where the server runs.");
});

onSubmit(byId("verify"), async (fields) => {
  const { access_token } = await post("verify-otp", { email: pending, ...fields });
  leave(access_token);
});

byId("resend").addEventListener("click", async () => {
  try {
    await post("resend-otp", { email: pending });
    say("A new code is in the terminal.");
  } catch (error) {
    say(error.message, true);
  }
});

// Without this script the forms would do nothing, so nobody is shown them.
byId("developer").hidden = !developer;
byId("login").hidden = false;
byId("register").hidden = false;
