// A session's terminal: draws what the stream says, and sends what somebody types who has the keyboard.
"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const screen = $("#screen");
  const note = $("#note");
  const takes = $("#take");
  const touch = $("#touch");
  const whole = $("#whole");
  const base = `/sessions/${encodeURIComponent(screen.dataset.session)}`;
  const page = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!window.Terminal) { note.textContent = "The browser libraries are not here. In the checkout: make console"; note.className = "note wrong"; return; }

  const family = getComputedStyle(document.documentElement).getPropertyValue("--mono").trim();
  const term = new Terminal({
    cols: 80, rows: 24, scrollback: 0, disableStdin: true, allowProposedApi: false, fontFamily: family, fontSize: 12,
    cursorBlink: false, cursorInactiveStyle: "outline", linkHandler: { activate() {} }, macOptionIsMeta: true, minimumContrastRatio: 3,
    theme: { background: "#101114", foreground: "#d9dbdf", cursor: "#d9dbdf", cursorAccent: "#101114", selectionBackground: "#3a4a6b" },
  });
  // The server sends colours and text only. Should anything else come through, it does nothing either.
  for (const code of [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 22, 52, 104, 133, 777, 1337]) term.parser.registerOscHandler(code, () => true);
  term.open(screen);
  term.write("\x1b[?7l"); // what is wider here than there does not push its line down
  const field = term.textarea;

  // Size: the agent's window stays as it is, the letters change -----------------------------------------
  const READABLE = 11;
  const LARGEST = 15;
  let fitted = false;
  let ratio = 0.6;
  function measure() {
    const probe = document.createElement("span");
    probe.style.cssText = `position:absolute;visibility:hidden;white-space:pre;font:100px ${family}`;
    probe.textContent = "W".repeat(50);
    document.body.append(probe);
    ratio = probe.getBoundingClientRect().width / 5000 || 0.6;
    probe.remove();
  }
  function fit() {
    const style = getComputedStyle(screen);
    const width = screen.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const fits = Math.floor((10 * width) / (term.cols * ratio)) / 10;
    whole.hidden = fits >= READABLE;
    const size = Math.min(LARGEST, fitted ? Math.max(fits, 1) : Math.max(fits, READABLE));
    if (term.options.fontSize !== size) term.options.fontSize = size;
  }
  measure();
  fit();
  new ResizeObserver(fit).observe(screen);
  whole.addEventListener("click", () => {
    fitted = !fitted;
    whole.setAttribute("aria-pressed", String(fitted));
    whole.textContent = fitted ? "Readable size" : "Fit width";
    fit();
  });

  // What is told -----------------------------------------------------------------------------------
  let said = { holder: "", mine: false, may: false, gone: "", state: "" };
  let trouble = "";
  const coarse = matchMedia("(pointer: coarse)").matches;
  function tell() {
    const words = trouble || (said.gone ? `Nothing to see: ${said.gone}`
      : said.mine ? `You have the keyboard. What ao has to tell the agent waits.${coarse ? "" : " Shift Esc gives it back."}`
      : said.holder ? `${said.holder} has the keyboard.`
      : said.may ? "Read only, until you take the keyboard." : "Read only.");
    if (note.textContent !== words) note.textContent = words;
    note.className = `note${trouble ? " wrong" : said.mine || said.holder ? " holding" : ""}`;
    $("#state").textContent = said.state;
    screen.classList.toggle("quiet", Boolean(said.gone));
    touch.hidden = !said.mine;
    if (!takes) return;
    takes.hidden = !said.may || Boolean(said.gone && !said.mine);
    takes.disabled = Boolean(said.holder && !said.mine);
    takes.textContent = said.mine ? "Give it back" : "Take the keyboard";
    takes.classList.toggle("primary", !said.mine);
  }
  function hear(now) {
    const had = said.mine;
    said = now;
    term.options.disableStdin = !said.mine;
    if (said.mine && !had) { trouble = ""; term.focus(); }
    if (had && !said.mine) {
      waiting.length = 0;
      if (!given) trouble = "You do not have the keyboard any more. What you type now goes nowhere.";
      field.blur();
    }
    given = false;
    tell();
  }
  function draw(news) {
    if (news.size) { term.resize(...news.size); term.write("\x1b[0m\x1b[2J\x1b[?7l"); fit(); }
    let text = "";
    for (const [row, line] of news.lines || []) text += `\x1b[${row + 1};1H\x1b[0m\x1b[2K${line}\x1b[0m`;
    if (news.cursor) text += `\x1b[?25h\x1b[${news.cursor[1] + 1};${news.cursor[0] + 1}H`;
    else if (news.cursor === null) text += "\x1b[?25l";
    if (text) term.write(text);
  }

  // The stream, while the tab is in front ------------------------------------------------------------
  let stream = null;
  function live(on, word) { $("#status").dataset.live = on; $("#status-word").textContent = word; }
  function open() {
    if (stream || document.hidden) return;
    stream = new EventSource(`${base}/screen?page=${page}`);
    stream.onopen = () => { live("on", "live"); };
    stream.onmessage = (event) => {
      const news = JSON.parse(event.data);
      draw(news);
      if (news.said) hear(news.said);
    };
    stream.onerror = async () => {
      live("off", "reconnecting");
      const ended = stream?.readyState === EventSource.CLOSED;
      lost("The connection was cut, and the keyboard went back. What you typed last may not have arrived.");
      if (!ended) return;
      close();
      const there = await fetch(location.href, { cache: "no-store" }).catch(() => null);
      if (there && !there.ok) location.reload();
      else setTimeout(open, 1500);
    };
  }
  function close() { stream?.close(); stream = null; }
  function lost(words) {
    if (!said.mine) return;
    waiting.length = 0;
    trouble = words;
    said = { ...said, mine: false, holder: "" };
    term.options.disableStdin = true;
    field.blur();
    tell();
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) { open(); return; }
    lost("The keyboard went back when you left this tab.");
    close();
    live("off", "paused");
  });
  addEventListener("pagehide", close);

  // Typing -----------------------------------------------------------------------------------------
  const waiting = [];
  let sending = false;
  let given = false;
  async function post(path, fields) {
    let answer;
    try {
      answer = await fetch(base + path, { method: "POST", body: new URLSearchParams({ page, ...fields }) });
    } catch {
      return "The server cannot be reached; that was not typed.";
    }
    if (answer.ok) return "";
    if (answer.status === 401) location.reload();
    return (await answer.json().catch(() => ({}))).words || "That was not typed.";
  }
  function type(kind, text) {
    const last = waiting[waiting.length - 1];
    if (kind === "data" && last?.data !== undefined && last.data.length < 200) last.data += text;
    else waiting.push({ [kind]: text });
    send();
  }
  async function send() {
    if (sending) return;
    sending = true;
    while (waiting.length) {
      const words = await post("/keys", waiting.shift());
      if (words) { waiting.length = 0; trouble = words; tell(); }
      else if (trouble) { trouble = ""; tell(); }
    }
    sending = false;
  }
  async function hold(act) {
    given = act === "give";
    const words = await post("/keyboard", { act });
    trouble = words;
    tell();
    if (given && !words) takes.focus();
  }
  takes?.addEventListener("click", () => hold(said.mine ? "give" : "take"));
  term.onData((data) => { if (said.mine) type("data", data); });
  term.attachCustomKeyEventHandler((event) => {
    if (event.key === "Escape" && event.shiftKey && said.mine) {
      if (event.type === "keydown") { event.preventDefault(); hold("give"); }
      return false;
    }
    return said.mine;
  });
  // A paste goes as one piece, as from a terminal that brackets it; the library does not see it.
  screen.addEventListener("paste", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData("text/plain");
    if (said.mine && text) type("paste", text);
  }, true);
  const KEYS = { escape: "\x1b", tab: "\t", up: "\x1b[A", down: "\x1b[B", left: "\x1b[D", right: "\x1b[C", interrupt: "\x03", enter: "\r" };
  touch.addEventListener("click", (event) => {
    const key = KEYS[event.target.dataset.key];
    if (key && said.mine) { type("data", key); term.focus(); }
  });

  tell();
  open();
})();
