// The browser view of the fake Slack: fetches what changed, and sends what a person does.
"use strict";

const page = document.body.dataset;
const shown = { channels: null, messages: null, thread: null };
let modal = "";

const byId = (id) => document.getElementById(id);

function note(words) {
  byId("note").textContent = words;
  byId("note").classList.toggle("on", Boolean(words));
}

async function ask(what, body) {
  const answer = await fetch(`/control/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: page.you, ...body }),
  });
  const result = await answer.json();
  note(answer.ok ? "" : result.error);
  return answer.ok ? result : null;
}

// A piece that did not change is left alone: an open menu stays open.
function place(name, pieces) {
  const pane = byId(name);
  if (!pane) return;
  const atEnd = !shown[name] || pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80;
  const before = shown[name] || new Map();
  if (!shown[name]) pane.replaceChildren(); // what came with the page itself
  const now = new Map();
  let next = pane.firstElementChild;
  for (const [id, html] of pieces) {
    const old = before.get(id);
    let node = old && old.node;
    if (!old || old.html !== html) {
      node = document.createElement("div");
      node.innerHTML = html;
      if (old) {
        if (next === old.node) next = node;
        old.node.replaceWith(node);
      }
    }
    if (next === node) next = node.nextElementSibling;
    else pane.insertBefore(node, next);
    now.set(id, { html, node });
  }
  for (const [id, old] of before) if (!now.has(id)) old.node.remove();
  shown[name] = now;
  if (atEnd) pane.scrollTop = pane.scrollHeight;
}

function placeModal(id, html) {
  if (id === modal) return;
  const typed = new Map();
  const dialog = byId("modal");
  if (id.split(" ")[0] === modal.split(" ")[0])
    for (const field of dialog.querySelectorAll("input[type=text], textarea, select")) typed.set(field.name, field.value);
  modal = id;
  dialog.innerHTML = html;
  for (const [name, value] of typed) {
    const field = dialog.querySelector(`[name="${CSS.escape(name)}"]`);
    if (field) field.value = value;
  }
  if (html && !dialog.open) dialog.showModal();
  if (!html && dialog.open) dialog.close();
}

async function follow() {
  let version = -1;
  for (;;) {
    try {
      const query = new URLSearchParams(location.search);
      query.set("after", version);
      const answer = await fetch(`/view?${query}`);
      const parts = await answer.json();
      version = parts.version;
      for (const name of Object.keys(shown)) place(name, parts[name]);
      placeModal(parts.modal_id, parts.modal);
      byId("sockets").textContent = parts.sockets;
      document.body.classList.remove("lost");
    } catch {
      document.body.classList.add("lost");
      byId("sockets").textContent = "this page has lost its server";
      await new Promise((go) => setTimeout(go, 1000));
    }
  }
}

function confirmed(words) {
  const dialog = byId("confirm");
  const make = (name, text, kind) => {
    const node = document.createElement(name);
    node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };
  const no = make("button", words.deny || "Cancel", "press");
  const yes = make("button", words.confirm || "Yes", words.style === "danger" ? "press danger" : "press primary");
  const row = make("div", "", "actions end");
  row.append(no, yes);
  dialog.replaceChildren(make("h2", words.title), make("p", words.text), row);
  dialog.showModal();
  return new Promise((done) => {
    const end = (answer) => {
      dialog.close();
      done(answer);
    };
    no.onclick = () => end(false);
    yes.onclick = () => end(true);
    dialog.oncancel = () => done(false);
  });
}

async function press(button) {
  const { what, option, channel, ts, view, url } = button.dataset;
  const confirm = button.dataset.confirm ? await confirmed(JSON.parse(button.dataset.confirm)) : false;
  if (button.dataset.confirm && !confirm) return;
  const menu = button.closest("details");
  if (menu) menu.open = false;
  if (url) window.open(url, "_blank", "noopener");
  if (view) await ask("press_view", { what, option: option || "", home: view === "home" });
  else await ask(option === undefined ? "click" : "choose", { channel, ts, what, confirm, ...(option === undefined ? {} : { option }) });
}

async function say(form) {
  const box = form.elements.text;
  const text = box.value.trim();
  if (!text) return;
  const thread = form.dataset.pane === "thread" ? page.thread : "";
  const command = /^\/(\S+)\s*(.*)$/s.exec(text);
  if (command && thread) {
    note("Slash commands cannot be typed in threads. Write !status, or plain words.");
    return;
  }
  box.value = "";
  const sent = command
    ? await ask("slash", { channel: page.channel, command: `/${command[1]}`, text: command[2] })
    : await ask("say", { channel: page.channel, text, thread_ts: thread });
  if (!sent) box.value = text;
}

async function submit(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (!field.dataset.many) values[field.name] = field.value || null;
    else values[field.name] = [...(values[field.name] || []), ...(field.checked ? [field.value] : [])];
  }
  await ask("submit", { values });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button || button.type === "submit") return;
  if (button.dataset.what) await press(button);
  else if (button.dataset.do === "dismiss") await ask("dismiss", {});
  else if (button.dataset.do === "direct") {
    const made = await ask("direct", {});
    if (made) location.search = new URLSearchParams({ you: page.you, channel: made.channel });
  }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.dataset.do === "say") await say(event.target);
  else await submit(event.target);
});

byId("modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  ask("dismiss", {});
});

if (new URLSearchParams(location.search).get("channel") === "home") ask("open_home", {});
follow();
