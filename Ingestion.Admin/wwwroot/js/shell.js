// What the shell does without a circuit: theme, shortcuts, copying, exact times, the drawer, signing out.
// Everything listens on the document, so that it holds for whatever Blazor draws later.

const themes = ["auto", "light", "dark"];
const media = {
  auto: ["(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"],
  light: ["all", "not all"],
  dark: ["not all", "all"],
};

function nextTheme() {
  const root = document.documentElement;
  const theme = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
  root.dataset.theme = theme;
  [document.getElementById("theme-light").media, document.getElementById("theme-dark").media] = media[theme];
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `ingestion-theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  announce(`Theme: ${theme === "auto" ? "as the system" : theme}`);
}

// A sentence at the foot of the window that goes away by itself; read out by screen readers.
let announcing;
function announce(text) {
  let note = document.getElementById("shell-note");
  if (!note) {
    note = document.createElement("div");
    note.id = "shell-note";
    note.setAttribute("role", "status");
    document.body.append(note);
  }
  note.textContent = text;
  note.classList.add("shown");
  clearTimeout(announcing);
  announcing = setTimeout(() => note.classList.remove("shown"), 1800);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    announce("Copied");
  } catch {
    announce("The browser does not allow copying here");
  }
}

async function signOut() {
  const answer = await fetch("/sign-out", { method: "POST", headers: { "X-Requested-With": "ingestion" } });
  // A provider wants to hear of it as well, and leads back.
  if (answer.status === 200) location.assign((await answer.json()).location);
  else if (answer.ok || answer.status === 401) location.assign("/sign-in");
  else announce("Signing out did not work. Try again.");
}

const actions = {
  themeToggle: nextTheme,
  copy,
  signOut,
  help: () => document.getElementById("shortcut-help")?.showModal(),
  reload: () => location.reload(),
};

document.addEventListener("click", event => {
  for (const [name, run] of Object.entries(actions)) {
    const attribute = "data-" + name.replace(/[A-Z]/g, c => "-" + c.toLowerCase());
    const target = event.target.closest?.(`[${attribute}]`);
    if (target) run(target);
  }
  const drawer = event.target.closest?.("#side-nav a")?.closest("[popover]");
  if (drawer?.matches(":popover-open")) drawer.hidePopover();
});

// A lost circuit heals itself. Blazor retries and says by a class how it went: rejected means that the server is back without
// our circuit, failed that it gave up; then a look every few seconds finds the moment when the server answers again.
const connection = document.getElementById("components-reconnect-modal");
let looking;
async function look() {
  try {
    if ((await fetch("/health/live", { cache: "no-store" })).ok) location.reload();
  } catch {
    // still away; the next look tells
  }
}
if (connection) {
  new MutationObserver(() => {
    clearInterval(looking);
    // Files on their way outlive the circuit: upload.js reloads once they are there.
    if (connection.classList.contains("components-reconnect-rejected")) {
      if (!document.documentElement.dataset.uploading) location.reload();
    }
    else if (connection.classList.contains("components-reconnect-failed")) looking = setInterval(look, 5000);
  }).observe(connection, { attributeFilter: ["class"] });
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, event => {
    const time = event.target.closest?.("time[datetime]");
    if (time) time.title = exact.format(new Date(time.dateTime));
  });
}

// Shortcuts live in the markup: a link or button with data-shortcut="g b" is followed or pressed by g, then b.
let first = "";
let waiting;
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]:not([contenteditable='false'])");
  if (typing) {
    if (event.key === "Escape" && typing.id === "global-search") typing.blur();
    return;
  }
  if (document.querySelector("dialog[open], .rz-dialog-wrapper")) return;

  const keys = first ? `${first} ${event.key}` : event.key;
  clearTimeout(waiting);
  first = "";
  if (event.key === "g" && keys === "g") {
    first = "g";
    waiting = setTimeout(() => { first = ""; }, 1500);
    return;
  }
  if (keys === "?") actions.help();
  else if (keys === "/") document.getElementById("global-search")?.focus();
  else {
    const target = document.querySelector(`:is(a, button:enabled)[data-shortcut="${CSS.escape(keys)}"]`);
    if (!target) return;
    target.click();
  }
  event.preventDefault();
});
