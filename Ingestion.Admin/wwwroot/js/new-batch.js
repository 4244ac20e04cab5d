// The wizard's other two ways in: a pasted list, kept in the field and sent as text, and one manifest at a time.

const headers = { "X-Requested-With": "ingestion" };
const pause = 400;

class Addresses {
  constructor(field, page, batch) {
    this.page = page;
    this.batch = batch;
    this.field = field;
    this.events = new AbortController();
    field.addEventListener("input", () => this.later(), { signal: this.events.signal });
  }

  // What was saved before; what was typed before the page was ready stays.
  async load() {
    if (!this.batch || this.field.value) return;
    const answer = await fetch(`/api/v1/drafts/${this.batch}/addresses`);
    if (answer.ok && !this.field.value) this.field.value = await answer.text();
  }

  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.waiting = null; this.save(); }, pause);
  }

  // One save at a time, and always once more for what was typed meanwhile.
  async save() {
    if (this.saving) { this.again = true; return this.saving; }
    this.saving = this.send();
    await this.saving;
    this.saving = null;
    if (this.again) { this.again = false; await this.save(); }
  }

  async send() {
    try {
      this.batch ??= await this.page.invokeMethodAsync("DraftFor", "");
      const answer = await fetch(`/api/v1/drafts/${this.batch}/addresses`, {
        method: "PUT", headers: { ...headers, "Content-Type": "text/plain; charset=utf-8" }, body: this.field.value,
      });
      const body = await answer.json().catch(() => ({}));
      await this.page.invokeMethodAsync("AddressesSaved", answer.ok ? body : null, answer.ok ? null : body.detail ?? `The server answered ${answer.status}.`);
    } catch {
      // The connection is down, which the page says; the field keeps its text.
      this.waiting = setTimeout(() => this.save(), 3000);
    }
  }

  async flush() {
    if (!this.waiting && !this.saving) return;
    clearTimeout(this.waiting);
    this.waiting = null;
    await this.save();
  }

  dispose() {
    this.events.abort();
    clearTimeout(this.waiting);
  }
}

export async function addresses(field, page, batch) {
  const list = new Addresses(field, page, batch);
  await list.load();
  return list;
}

// Sends one manifest and tells the page its upload; the page reads it from there.
export function manifests(input, page, batch, maxFileSize) {
  const events = new AbortController();
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    try {
      if (file.size > maxFileSize) throw new Error(`${file.name} is larger than ${Math.floor(maxFileSize / 1048576)} MiB.`);
      batch ??= await page.invokeMethodAsync("DraftFor", "");
      await page.invokeMethodAsync("ManifestBegun", file.name);
      const parts = new URLSearchParams({ path: file.name, size: file.size, batch, purpose: "manifest" });
      const answer = await fetch(`/api/v1/uploads/file?${parts}`, { method: "POST", headers: { ...headers, "Content-Type": file.type || "text/csv" }, body: file });
      const body = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(body.detail ?? `The server answered ${answer.status}.`);
      await page.invokeMethodAsync("ManifestSent", body.id, null);
    } catch (e) {
      await page.invokeMethodAsync("ManifestSent", null, e instanceof TypeError ? "The server cannot be reached. Choose the file again." : e.message);
    } finally {
      input.value = "";
    }
  }, { signal: events.signal });
  return { dispose: () => events.abort() };
}
