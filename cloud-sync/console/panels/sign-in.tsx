import { useState } from "preact/hooks";
import { useConsole, useWording } from "../app/console-context.ts";
import { LanguageSwitch } from "./switches.tsx";

/** Asks for a token where the address brought none, or the one it brought does not work. */
export function SignIn() {
  const { signIn } = useConsole();
  const wording = useWording();
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== "") signIn(token);
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <h1>
          Nerve <span>{wording.text("app.title")}</span>
        </h1>
        <label>
          {wording.text("signin.token")}
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="hint">{wording.text("signin.hint")}</p>
        <button type="submit" class="primary">
          {wording.text("signin.go")}
        </button>
        <LanguageSwitch />
      </form>
    </main>
  );
}
