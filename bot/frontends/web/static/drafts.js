// What is typed and not sent yet: kept in this tab, for each session, until it is sent or the person logs out.
"use strict";
(() => {
  const PREFIX = "ao-draft:";
  const $ = (selector) => document.querySelector(selector);
  const boxes = {
    command: () => ({ box: $("#command-text"), key: `${PREFIX}command` }),
    reply: () => ({ box: $("#reply-text"), key: `${PREFIX}reply:${$("#side")?.dataset.session || ""}` }),
  };
  const kept = (key) => sessionStorage.getItem(key) || "";
  function keep(key, text) { if (text) sessionStorage.setItem(key, text); else sessionStorage.removeItem(key); }

  function restore() {
    for (const find of Object.values(boxes)) {
      const { box, key } = find();
      if (!box || box.dataset.draft === key) continue;
      box.dataset.draft = key;
      if (!box.value) box.value = kept(key);
      else keep(key, box.value);
    }
  }
  document.addEventListener("input", (event) => {
    for (const find of Object.values(boxes)) {
      const { box, key } = find();
      if (event.target === box) keep(key, box.value);
    }
  });
  // The console's script empties or fills a box itself: whatever it holds after a swap is the draft.
  document.addEventListener("htmx:after:swap", () => {
    const { box, key } = boxes.reply();
    if (box?.dataset.draft === key) keep(key, box.value);
    restore();
  });
  document.addEventListener("htmx:after:request", (event) => {
    if (event.target.closest?.("form")?.id === "command" && event.detail.ctx.response?.status < 400) keep(`${PREFIX}command`, "");
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".who")) return;
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  });
  restore();
})();
