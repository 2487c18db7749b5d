// The stream's watch: says whether the page is live, and connects anew whenever it is not, whatever the cause.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const GRACE = 3000; // ms without a stream before we connect anew ourselves; hx-sse alone gives up a first failure
  const LONGEST = 15000; // ms between two of our attempts, at most
  const OLD = 10000; // ms after which what is shown may be old
  let open = false;
  let since = Date.now();
  let wait = GRACE;
  let next = since + GRACE;
  let out = false;
  let at = "";

  function say(on, word) {
    const status = $("#status");
    if (status.dataset.live !== on) status.dataset.live = on;
    if ($("#status-word").textContent !== word) $("#status-word").textContent = word;
  }
  function up() {
    open = true;
    out = false;
    wait = GRACE;
    $("#logged-out").hidden = true;
    say("on", "live");
  }
  function down() {
    if (!open) return;
    open = false;
    since = Date.now();
    next = since + GRACE;
  }
  function outside() {
    out = true;
    down();
    $("#logged-out").hidden = false;
    say("off", "logged out");
  }

  // As the server does it when another session is opened, so that htmx closes the old one.
  function anew() {
    const fresh = $("#live").cloneNode(false);
    const address = new URL(fresh.getAttribute("hx-sse:connect"), location.href);
    if (at) address.searchParams.set("at", at);
    fresh.setAttribute("hx-sse:connect", address.pathname + address.search);
    fresh.removeAttribute("data-htmx-powered");
    const part = document.createElement("hx-partial");
    part.setAttribute("hx-target", "#live");
    part.setAttribute("hx-swap", "outerHTML");
    part.append(fresh);
    htmx.swap({ sourceElement: document.body, target: document.body, swap: "none", text: part.outerHTML });
  }
  function look() {
    if (open || document.hidden) return;
    const now = Date.now();
    if (out) say("off", "logged out");
    else if (now - since >= OLD) say("off", "not live: what you see may be old");
    else if (now - since >= 1000) say("off", "connecting");
    if (now < next || !window.htmx) return;
    wait = Math.min(wait * 2, LONGEST);
    next = now + wait;
    anew();
  }
  setInterval(look, 500);
  const soon = () => { if (!open && !document.hidden) { wait = GRACE; next = Math.min(next, Date.now() + 500); } };
  document.addEventListener("visibilitychange", () => {
    // A tab in the background connects nothing: what counts is how long somebody looks at it.
    if (!document.hidden && !open) { since = Date.now(); soon(); }
  });
  window.addEventListener("focus", soon);
  window.addEventListener("online", soon);

  const ours = (event) => event.target?.id === "live";
  document.addEventListener("htmx:before:request", (event) => { if (ours(event)) down(); });
  document.addEventListener("htmx:sse:after:connection", up);
  document.addEventListener("htmx:sse:after:message", (event) => { at = event.detail?.message?.id || at; });
  document.addEventListener("htmx:sse:error", (event) => { if (event.detail?.status === 401) outside(); else down(); });
  document.addEventListener("htmx:sse:close", (event) => { if (ours(event) && event.detail?.reason === "ended") down(); });
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail?.connection?.attempt > 0 && !document.hidden) down();
  });
  document.addEventListener("htmx:error", (event) => { if (ours(event)) down(); });
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response?.status === 401) outside();
  });
})();
