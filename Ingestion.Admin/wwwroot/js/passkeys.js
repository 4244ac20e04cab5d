// Passkeys: asks the server what to sign, the browser to sign it, and hands the signature back. Listens on the document, so that it
// holds for whatever is drawn later. Loaded before the page is drawn: no click may come before it.

(() => {
  const headers = { "Content-Type": "application/json", "X-Requested-With": "ingestion" };

  async function ask(address, body) {
    const answer = await fetch(address, { method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    const json = text ? JSON.parse(text) : {};
    if (!answer.ok) throw new Error(json.detail ?? "The server does not answer.");
    return json;
  }

  function say(button, text) {
    const note = document.querySelector("[data-passkey-note]");
    if (note) note.textContent = text;
    button.disabled = false;
  }

  // What browsers throw when the person closes their dialog; that needs no explanation.
  const isChoice = error => error.name === "NotAllowedError" || error.name === "AbortError";

  async function signIn(button) {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(await ask("/sign-in/passkey/options"));
    const credential = await navigator.credentials.get({ publicKey: options });
    const { location: next } = await ask("/sign-in/passkey?returnUrl=" + encodeURIComponent(button.dataset.passkeySignIn), credential.toJSON());
    location.assign(next);
  }

  async function add(button) {
    const options = PublicKeyCredential.parseCreationOptionsFromJSON(await ask("/api/v1/me/passkeys/options"));
    const credential = await navigator.credentials.create({ publicKey: options });
    await ask("/api/v1/me/passkeys", credential.toJSON());
    location.assign(button.dataset.passkeyAdd);
  }

  document.addEventListener("click", async event => {
    const button = event.target.closest?.("[data-passkey-sign-in], [data-passkey-add]");
    if (!button) return;
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      say(button, "This browser has no passkeys here. They need https, or the name localhost.");
      return;
    }
    button.disabled = true;
    try {
      await ("passkeyAdd" in button.dataset ? add : signIn)(button);
    } catch (error) {
      say(button, isChoice(error) ? "" : error.message);
    }
  });
})();
