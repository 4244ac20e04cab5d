// Sends files and whole folders of one draft, over HTTP and never over the page's connection: a few at once, in parts that continue
// from what the server has. The page asks for the rows it shows; this list is the only place that holds them all.

const parallel = 4;
const partSize = 16 * 1024 * 1024;
const wholeSize = 4 * 1024 * 1024;
const hashedSize = 16 * 1024 * 1024;
const attempts = 6;
const tellEvery = 200;
const longestName = 300;
const leftovers = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);
const root = "/api/v1/uploads";

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const headers = more => ({ "X-Requested-With": "ingestion", ...more });
const query = parts => new URLSearchParams(Object.entries(parts).filter(([, v]) => v != null)).toString();

class Refused extends Error {}

// The states of a row: waiting, sending, done, failed (can be tried again), refused (cannot), interrupted (from an earlier visit).
export class Uploads {
  constructor(page, batch, limits) {
    this.page = page;
    this.batch = batch;
    this.maxFileSize = limits.maxFileSize;
    this.rows = [];
    this.keys = 0;
    this.byKey = new Map();
    this.byPath = new Map();
    this.queue = [];
    this.active = 0;
    this.leftOut = 0;
    this.sentLately = [];
    this.zones = new AbortController();
    this.leaving = event => { if (this.busy) event.preventDefault(); };
    addEventListener("beforeunload", this.leaving);
  }

  get busy() { return this.active > 0 || this.queue.length > 0; }

  // What was sent in earlier visits, so that a reload loses nothing that the server has.
  async load() {
    if (!this.batch) return;
    for (let after = 0; ;) {
      const answer = await fetch(`${root}?${query({ batch: this.batch, after })}`);
      if (!answer.ok) return;
      const { uploads, next } = await answer.json();
      for (const u of uploads) {
        if (this.byPath.has(u.path)) continue;
        this.add({ path: u.path, size: u.size, id: u.id, sha256: u.sha256, sent: u.offset, state: u.complete ? "done" : "interrupted" });
      }
      if (!next || uploads.length === 0) break;
      after = next;
    }
    this.tell(true);
  }

  // Files fall anywhere into the zone, or come from its inputs. What falls beside it must not make the browser leave the page.
  attach(zone) {
    const on = (target, name, run) => target.addEventListener(name, run, { signal: this.zones.signal });
    let inside = 0;
    const mark = change => { inside = Math.max(0, inside + change); zone.classList.toggle("over", inside > 0); };
    on(zone, "dragenter", e => { e.preventDefault(); mark(1); });
    on(zone, "dragleave", () => mark(-1));
    on(zone, "drop", e => { e.preventDefault(); mark(-inside); this.dropped(e.dataTransfer); });
    for (const name of ["dragover", "drop"]) on(document, name, e => { if (e.dataTransfer?.types.includes("Files")) e.preventDefault(); });
    for (const input of zone.querySelectorAll("input[type=file]")) {
      on(input, "change", () => {
        this.take([...input.files].map(file => ({ file, path: file.webkitRelativePath || file.name })));
        input.value = "";
      });
    }
  }

  async dropped(transfer) {
    // The entries are taken before the first await: the transfer is emptied when the handler returns.
    const entries = [...transfer.items].filter(i => i.kind === "file").map(i => i.webkitGetAsEntry?.()).filter(Boolean);
    if (entries.length === 0) return this.take([...transfer.files].map(file => ({ file, path: file.name })));
    for (const entry of entries) await this.walk(entry, "");
    this.take([]);
  }

  async walk(entry, folder) {
    const path = folder + entry.name;
    try {
      if (entry.isFile) {
        await this.take([{ file: await new Promise((ok, no) => entry.file(ok, no)), path }]);
        return;
      }
      const reader = entry.createReader();
      // A call gives a hundred entries at most; an empty answer is the end.
      for (let part; (part = await new Promise((ok, no) => reader.readEntries(ok, no))).length > 0;)
        for (const inner of part) await this.walk(inner, `${path}/`);
    } catch {
      this.add({ path, size: 0, sent: 0, state: "refused", error: entry.isFile ? "The browser cannot read this file." : "The browser cannot read this folder." });
      this.tell();
    }
  }

  async take(found) {
    const wanted = found.filter(f => !leftovers.has(f.file.name));
    this.leftOut += found.length - wanted.length;
    if (wanted.length > 0 && !this.batch) await this.draft(wanted[0].path);
    for (const { file, path } of wanted) {
      const known = this.byPath.get(path);
      if (known && ["waiting", "sending"].includes(known.state)) continue;
      const row = known ?? this.add({ path });
      Object.assign(row, { file, size: file.size, sent: 0, error: null, state: "waiting" });
      if (file.size > this.maxFileSize) {
        Object.assign(row, { state: "refused", error: `Larger than ${Math.floor(this.maxFileSize / 1048576)} MiB: split the file, or ask an administrator to raise the limit.` });
        continue;
      }
      this.queue.push(row);
    }
    this.pump();
    this.tell();
  }

  draft(path) {
    this.drafting ??= this.page.invokeMethodAsync("DraftFor", path.includes("/") ? path.split("/")[0] : "").then(id => { this.batch = id; });
    return this.drafting;
  }

  add(row) {
    row.key = ++this.keys;
    this.rows.push(row);
    this.byKey.set(row.key, row);
    this.byPath.set(row.path, row);
    return row;
  }

  pump() {
    while (this.active < parallel && this.queue.length > 0) {
      const row = this.queue.shift();
      if (row.state !== "waiting") continue;
      this.active++;
      document.documentElement.dataset.uploading = "true";
      this.send(row).finally(() => {
        this.active--;
        this.pump();
        if (!this.busy) this.rested();
        this.tell(!this.busy);
      });
    }
  }

  rested() {
    delete document.documentElement.dataset.uploading;
    // The server came back without our page while files were on their way; shell.js left the reload to us.
    if (document.querySelector("#components-reconnect-modal.components-reconnect-rejected")) location.reload();
  }

  async send(row) {
    row.state = "sending";
    row.stop = new AbortController();
    try {
      if (await this.isThere(row)) row.sent = row.size;
      else if (row.size <= wholeSize && !row.id) await this.sendWhole(row);
      else await this.sendParts(row);
      Object.assign(row, { state: "done", file: null, error: null });
    } catch (e) {
      if (row.stop.signal.aborted) Object.assign(row, { state: "failed", error: "Cancelled." });
      else Object.assign(row, { state: e instanceof Refused ? "refused" : "failed", error: e.message });
    }
  }

  // A folder dropped again after a reload: what the server has already, byte for byte, is not sent twice.
  async isThere(row) {
    if (!row.sha256 || row.size > hashedSize || !crypto.subtle) return false;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await this.bytes(row, 0, row.size)));
    const same = [...digest].map(b => b.toString(16).padStart(2, "0")).join("") === row.sha256;
    if (!same) Object.assign(row, { sha256: null, id: null });
    return same;
  }

  async sendWhole(row) {
    const body = await this.bytes(row, 0, row.size);
    const address = `${root}/file?${query({ path: row.path, size: row.size, batch: this.batch })}`;
    try {
      const { id, complete } = await this.ask(row, address, { method: "POST", headers: headers({ "Content-Type": row.file.type || "application/octet-stream" }), body }, 1);
      if (complete) {
        Object.assign(row, { id, sent: row.size });
        this.count(row.size);
        return;
      }
    } catch (e) {
      if (e instanceof Refused || row.stop.signal.aborted) throw e;
    }
    // Whatever arrived is kept: the long way finds out how much, and waits where it has to.
    await this.sendParts(row);
  }

  async sendParts(row) {
    let { id, offset, complete } = await this.announce(row);
    row.id = id;
    row.sent = offset;
    while (!complete) {
      const part = await this.bytes(row, offset, Math.min(offset + partSize, row.size));
      const before = offset;
      ({ offset, complete } = await this.ask(row, `${root}/${id}?offset=${offset}`, { method: "PUT", headers: headers(), body: part }));
      row.sent = offset;
      this.count(Math.max(0, offset - before));
      this.tell();
    }
  }

  announce(row) {
    const body = JSON.stringify({ path: row.path, size: row.size, batch: this.batch, media_type: row.file.type || null });
    return this.ask(row, root, { method: "POST", headers: headers({ "Content-Type": "application/json" }), body });
  }

  // Asks until there is an answer that more asking would not change. A wrong offset is an answer: it says where to go on.
  async ask(row, address, request, times = attempts) {
    for (let attempt = 1; ; attempt++) {
      let problem, wait = Math.min(30000, 500 * 2 ** attempt) * (0.75 + Math.random() / 2);
      try {
        const answer = await fetch(address, { ...request, signal: row.stop.signal });
        const body = await answer.json().catch(() => ({}));
        if (answer.ok) return body;
        if (answer.status === 409 && body.offset != null) return { offset: body.offset, complete: false };
        problem = body.detail ?? `The server answered ${answer.status}.`;
        const again = Number(answer.headers.get("Retry-After"));
        if (again > 0) wait = again * 1000;
        if (answer.status === 401) throw new Error("You are signed out. Sign in again in another tab, then try again.");
        if (answer.status === 413) throw new Refused([body.detail, body.remedy].filter(Boolean).join(" "));
        if (answer.status < 500 && answer.status !== 408 && answer.status !== 429) throw new Error(problem);
      } catch (e) {
        if (!(e instanceof TypeError)) throw e;
        problem = "The server cannot be reached.";
      }
      if (attempt >= times) throw new Error(problem);
      await this.rest(row, wait);
    }
  }

  async rest(row, wait) {
    await sleep(wait);
    row.stop.signal.throwIfAborted();
    if (!navigator.onLine) await new Promise(resolve => addEventListener("online", resolve, { once: true }));
  }

  async bytes(row, from, to) {
    try {
      return await row.file.slice(from, to).arrayBuffer();
    } catch {
      throw new Error("The file cannot be read: it was changed, moved or deleted on this computer. Choose it again.");
    }
  }

  count(bytes) {
    const now = performance.now();
    this.sentLately = this.sentLately.filter(s => now - s.at < 5000);
    this.sentLately.push({ at: now, bytes });
  }

  totals() {
    const states = { waiting: 0, sending: 0, done: 0, failed: 0, refused: 0, interrupted: 0 };
    let bytes = 0, sent = 0;
    for (const row of this.rows) {
      states[row.state]++;
      if (row.state !== "refused") {
        bytes += row.size;
        sent += row.state === "done" ? row.size : row.sent;
      }
    }
    const rate = this.busy ? this.sentLately.reduce((sum, s) => sum + s.bytes, 0) / 5 : 0;
    return { ...states, total: this.rows.length, bytes, sent, leftOut: this.leftOut, bytesPerSecond: Math.round(rate) };
  }

  // At most five times a second, and once more when something came to rest.
  tell(now = false) {
    if (this.told) {
      if (!now) return;
      clearTimeout(this.told);
    }
    const report = () => {
      this.told = null;
      // The page may be reconnecting; the next report reaches it.
      this.page.invokeMethodAsync("UploadsChanged", this.totals()).catch(() => {});
    };
    this.told = setTimeout(report, now ? 0 : tellEvery);
  }

  window(start, count, only) {
    const shown = only ? this.rows.filter(r => only.includes(r.state)) : this.rows;
    const rows = shown.slice(start, start + count).map(r => ({
      key: r.key,
      path: r.path.length > longestName ? "…" + r.path.slice(-longestName) : r.path,
      size: r.size, sent: r.sent, state: r.state, error: r.error ?? null,
    }));
    return { total: shown.length, rows };
  }

  refused(most) {
    return this.rows.filter(r => r.state === "refused").slice(0, most).map(r => ({ path: r.path.slice(-longestName), why: r.error }));
  }

  cancel(key) {
    const row = this.byKey.get(key);
    if (row?.state === "waiting") Object.assign(row, { state: "failed", error: "Cancelled." });
    row?.stop?.abort();
    this.tell();
  }

  retry(key) {
    const row = this.byKey.get(key);
    if (row?.file && row.state === "failed") {
      Object.assign(row, { state: "waiting", error: null });
      this.queue.push(row);
      this.pump();
    }
    this.tell();
  }

  retryFailed() {
    for (const row of this.rows) if (row.state === "failed") this.retry(row.key);
  }

  async remove(key) {
    const row = this.byKey.get(key);
    if (!row) return;
    row.stop?.abort();
    if (row.id) {
      const answer = await fetch(`${root}/${row.id}`, { method: "DELETE", headers: headers() });
      if (!answer.ok && answer.status !== 404) return;
    }
    this.forget(r => r === row);
  }

  // Everything, or only what never became whole.
  async removeAll(unfinished) {
    const hit = row => !unfinished || row.state !== "done";
    for (const row of this.rows) if (hit(row)) row.stop?.abort();
    this.queue = [];
    if (this.batch) {
      const answer = await fetch(`${root}?${query({ batch: this.batch, unfinished: unfinished || null })}`, { method: "DELETE", headers: headers() });
      if (!answer.ok) return;
    }
    this.forget(hit);
  }

  forget(gone) {
    for (const row of this.rows.filter(gone)) {
      row.state = "removed";
      this.byKey.delete(row.key);
    }
    this.rows = this.rows.filter(r => r.state !== "removed");
    this.byPath = new Map(this.rows.map(r => [r.path, r]));
    this.tell(true);
  }

  stop() {
    this.queue = [];
    for (const row of this.rows) row.stop?.abort();
  }

  dispose() {
    this.zones.abort();
    removeEventListener("beforeunload", this.leaving);
    this.stop();
    clearTimeout(this.told);
    delete document.documentElement.dataset.uploading;
  }
}

export async function open(page, batch, limits) {
  return new Uploads(page, batch, limits);
}
