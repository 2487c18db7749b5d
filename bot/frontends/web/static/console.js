// The console's own script: times in the reader's words, dialogs, keys, completion. Everything else is htmx.
"use strict";
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const dialog = $("#dialog");
  const command = $("#command-text");
  const offers = $("#offers");

  // Times ------------------------------------------------------------------------------------------
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

  function ago(then, now) {
    const minutes = Math.floor((now - then) / 60000);
    if (minutes < 1) return "now";
    if (minutes < 60) return `${minutes} min`;
    if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
    return `${Math.floor(minutes / 1440)} d`;
  }

  // Only times that came in anew, or all of them; a part of the page that is replaced loses the mark.
  function tick(all = true) {
    const now = new Date();
    for (const node of $$(all ? "time[datetime]" : "time[datetime]:not([data-told])")) {
      const then = new Date(node.dateTime);
      const today = then.toDateString() === now.toDateString();
      const words = node.dataset.kind === "clock"
        ? (today ? clock.format(then) : `${day.format(then)} ${clock.format(then)}`)
        : ago(then, now);
      if (node.textContent !== words) node.textContent = words;
      node.dataset.told = "";
      if (all && !node.title) node.title = whole.format(then);
    }
  }
  setInterval(() => { if (!document.hidden) tick(); }, 20000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });

  // What is open -----------------------------------------------------------------------------------
  function mark() {
    const open = $("#side")?.dataset.session || "";
    document.body.classList.toggle("reading", Boolean(open));
    for (const link of $$("a[aria-current]")) link.removeAttribute("aria-current");
    for (const link of open ? $$(`a[data-session="${CSS.escape(open)}"]`) : []) link.setAttribute("aria-current", "true");
  }
  function name() {
    const count = Number.parseInt($("#needing")?.textContent, 10) || 0;
    const title = $("#side")?.dataset.session ? $("#side-title")?.textContent : "Board";
    document.title = `${count ? `(${count}) ` : ""}${title} · ao`;
  }

  let opened = $("#side")?.dataset.session || "";
  let lost = "";
  const bottom = (flow) => flow && flow.scrollHeight - flow.scrollTop - flow.clientHeight < 60;
  let atBottom = false;
  const phone = matchMedia("(max-width: 48rem)");
  // On a phone the whole thread scrolls, and its facts are folded so that its newest entry is what one sees.
  const scroller = () => $(phone.matches ? "#flow" : "#told");
  function toNewest() { const told = scroller(); if (told) told.scrollTop = told.scrollHeight; }
  function fold() { const facts = $(".facts-fold"); if (facts && phone.matches) facts.open = false; }

  document.addEventListener("htmx:before:swap", () => {
    atBottom = bottom(scroller());
    lost = document.activeElement?.closest?.("li.card")?.id || "";
  });
  document.addEventListener("htmx:after:swap", () => {
    name();
    tick(false);
    const now = $("#side")?.dataset.session || "";
    if (now !== opened) {
      opened = now;
      $("#answer").replaceChildren();
      mark();
      fold();
      toNewest();
      // Not from under somebody who is typing there already.
      if (!$("#side")?.contains(document.activeElement)) $("#side-title")?.focus({ preventScroll: true });
    } else if (atBottom) toNewest();
    if (lost && document.activeElement === document.body) $(`#${CSS.escape(lost)} a`)?.focus();
  });

  // Notices ----------------------------------------------------------------------------------------
  const DISMISSED = "ao-dismissed";
  function dismissed() {
    try { return JSON.parse(localStorage.getItem(DISMISSED)) || []; } catch { return []; }
  }
  function quiet() {
    const gone = dismissed();
    for (const item of $$("[data-notice]")) item.hidden = gone.includes(item.dataset.notice);
  }
  const called = new Set();
  function call() {
    for (const item of $$("#calls [data-call]")) {
      if (called.has(item.dataset.call)) continue;
      called.add(item.dataset.call);
      if (!document.hidden || !allowed()) continue;
      const told = new Notification(item.dataset.title, { body: item.textContent, tag: item.dataset.call });
      told.onclick = () => { window.focus(); location.assign(item.dataset.path); };
    }
  }
  const allowed = () => "Notification" in window && Notification.permission === "granted";
  function background() { if (allowed()) htmx.config.sse = { ...htmx.config.sse, pauseOnBackground: false }; }
  const callMe = $("#call-me");
  callMe.hidden = !("Notification" in window) || !window.isSecureContext || Notification.permission !== "default";
  callMe.addEventListener("click", async () => {
    await Notification.requestPermission();
    callMe.hidden = Notification.permission !== "default";
    background();
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.("[data-dismiss]")?.closest("[data-notice]");
    if (!item) return;
    localStorage.setItem(DISMISSED, JSON.stringify([...dismissed(), item.dataset.notice].slice(-100)));
    quiet();
  });
  document.addEventListener("htmx:after:swap", () => { quiet(); call(); });

  // Dialogs ----------------------------------------------------------------------------------------
  function show(template) {
    dialog.replaceChildren(template.content.cloneNode(true));
    htmx.process(dialog);
    dialog.showModal();
    ($("textarea", dialog) || $(".yes", dialog) || $("button", dialog))?.focus();
  }
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    if (at("[data-dialog]")) show(at(".press").querySelector("template"));
    else if (at("#keys")) show($("#keys-help"));
    else if (at("[data-close]")) dialog.close();
    else if (at("[data-clear]")) { $("#answer").replaceChildren(); command.focus(); }
    else if (at("[data-fill]")) { command.value = at("[data-fill]").dataset.fill; command.focus(); suggest(); }
    else if (event.target === dialog) dialog.close();
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target) || at(".menu .btn[data-dialog], .menu form .btn")) menu.open = false;
  });

  // What is asked before a typed command is done is asked like a button's.
  document.addEventListener("htmx:after:swap", () => {
    const asks = $("#answer .answer[data-asks]");
    if (!asks) return;
    dialog.replaceChildren(asks);
    hide();
    if (!dialog.open) dialog.showModal();
    $(".press .btn", dialog)?.focus();
  });

  const fresh = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // Forms ------------------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    // What is typed while another command is under way is another request; the same text again is the same one.
    const { key, text } = event.target.elements;
    if (!key || !text) return;
    if (event.target.dataset.asked !== undefined && event.target.dataset.asked !== text.value) key.value = fresh();
    event.target.dataset.asked = text.value;
  }, true);
  document.addEventListener("htmx:before:request", (event) => {
    const form = event.target.closest?.("form");
    if (form?.id === "reply" || form?.matches(".press, #dialog form")) $("#answer").replaceChildren();
    if (form?.id === "reply") form.dataset.sent = $("#reply-text").value;
    if (form?.id === "command") hide();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const form = event.target.closest?.("form");
    const ok = event.detail.ctx.response?.status < 400;
    if (form && dialog.contains(form) && ok) dialog.close();
    if (form?.id === "command" && ok) command.select();
    // Answered: the next press is another one. Without an answer it stays the same, however often it is sent.
    if (form?.elements.key) { form.elements.key.value = fresh(); delete form.dataset.asked; }
  });
  document.addEventListener("htmx:after:swap", () => {
    const form = $("#reply");
    if (!form || !$("#reply-said [data-sent]") || form.dataset.sent === undefined) return;
    const text = $("#reply-text");
    if (text.value === form.dataset.sent) text.value = "";
    delete form.dataset.sent;
  });
  document.addEventListener("htmx:error", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    const words = "The server cannot be reached. What you typed is still here; try again in a moment.";
    if (form.id === "reply") { $("#reply-said").textContent = words; $("#reply-said").classList.add("wrong"); }
    else if (dialog.contains(form)) { const wrong = $(".wrong", dialog); wrong.textContent = words; wrong.hidden = false; }
    else say(words);
  });
  function say(words) {
    const note = document.createElement("div");
    note.className = "answer level-warning";
    const title = document.createElement("h2");
    title.textContent = words;
    note.append(title);
    $("#answer").replaceChildren(note);
  }

  // Completion -------------------------------------------------------------------------------------
  let asked = 0;
  let chosen = -1;
  function hide() {
    asked += 1;
    offers.hidden = true;
    chosen = -1;
    command.setAttribute("aria-expanded", "false");
    command.removeAttribute("aria-activedescendant");
  }
  async function suggest() {
    const mine = ++asked;
    const query = new URLSearchParams({ text: command.value });
    let rows;
    try {
      const answer = await fetch(`/complete?${query}`, { headers: { Accept: "application/json" } });
      rows = answer.ok ? await answer.json() : [];
    } catch { rows = []; }
    if (mine !== asked || document.activeElement !== command) return;
    if (!rows.length) { hide(); return; }
    offers.replaceChildren(...rows.map((row, index) => {
      const item = document.createElement("li");
      item.id = `offer-${index}`;
      item.role = "option";
      item.dataset.line = row.line;
      const word = document.createElement("code");
      word.textContent = row.word;
      const hint = document.createElement("span");
      hint.textContent = row.hint;
      item.append(word, hint);
      return item;
    }));
    offers.hidden = false;
    command.setAttribute("aria-expanded", "true");
    choose(-1);
  }
  function choose(index) {
    const rows = $$("li", offers);
    if (index < 0 || index >= rows.length) chosen = index < -1 ? rows.length - 1 : -1;
    else chosen = index;
    rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === chosen)));
    if (chosen >= 0) {
      command.setAttribute("aria-activedescendant", rows[chosen].id);
      rows[chosen].scrollIntoView({ block: "nearest" });
    } else command.removeAttribute("aria-activedescendant");
  }
  function take(row) { command.value = row.dataset.line; command.focus(); suggest(); }
  command.addEventListener("input", suggest);
  command.addEventListener("focus", suggest);
  command.addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== command) hide(); }, 150));
  offers.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const row = event.target.closest("li");
    if (row) take(row);
  });
  command.addEventListener("keydown", (event) => {
    const rows = $$("li", offers);
    const open = !offers.hidden;
    if (event.key === "ArrowDown" && open) { choose(chosen + 1); event.preventDefault(); }
    else if (event.key === "ArrowUp" && open) { choose(chosen - 1); event.preventDefault(); }
    else if (event.key === "Tab" && open && !event.shiftKey && command.value) {
      take(rows[Math.max(chosen, 0)]);
      event.preventDefault();
    } else if (event.key === "Enter" && open && chosen >= 0) { take(rows[chosen]); event.preventDefault(); }
    else if (event.key === "Escape") { if (open) hide(); else { $("#answer").replaceChildren(); command.blur(); } event.stopPropagation(); }
  });

  // Keys -------------------------------------------------------------------------------------------
  const seen = (node) => node && node.offsetParent !== null;
  function step(by) {
    const links = $$("li.card > a").filter(seen);
    const at = links.indexOf(document.activeElement);
    links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  }
  function across(by) {
    const columns = $$(".col").filter((column) => $("li.card > a", column) && seen(column));
    const at = columns.findIndex((column) => column.contains(document.activeElement));
    const to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), columns.length - 1);
    if (columns[to]) $("li.card > a", columns[to]).focus();
  }
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input, textarea, select");
    if (field && (event.ctrlKey || event.metaKey) && event.key === "Enter") { field.form?.requestSubmit(); return; }
    if (event.key === "Escape" && !dialog.open) {
      const menu = $("details.menu[open]");
      if (menu) { menu.open = false; $("summary", menu).focus(); }
      else if ($("#answer .answer")) $("#answer").replaceChildren();
      else if (field) field.blur();
      else $("#back")?.click();
      return;
    }
    if (field || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "/": () => command.focus(), s: () => $("#filter-q").focus(), r: () => $("#reply-text")?.focus(),
      j: () => step(1), k: () => step(-1), l: () => across(1), h: () => across(-1),
      n: () => $("#needing").click(), "?": () => show($("#keys-help")),
    };
    if (acts[event.key]) { acts[event.key](); event.preventDefault(); }
  });

  if (window.htmx) background();
  quiet();
  $("#filter").addEventListener("submit", (event) => event.preventDefault());
  mark();
  name();
  tick();
  fold();
  toNewest();
})();
