// Follows the stream of events and asks for the panels that an event changes, at most once a second.
"use strict";

(() => {
  const PANELS_OF = {
    bars: ["summary", "positions", "strategies"],
    equity: ["summary", "risk"],
    orders: ["orders", "summary"],
    fills: ["orders", "positions", "strategies", "summary"],
    risk: ["risk", "summary", "orders"],
    active: ["slots", "summary"],
  };
  const EVERY_PANEL = ["summary", "positions", "orders", "strategies", "risk", "slots"];
  const PAUSE_MS = 1000;
  const link = document.getElementById("link");
  let last = null;
  let pause = 200;
  let waiting = new Set();
  let timer = null;

  const say = (kind, text) => { link.className = `link ${kind}`; link.textContent = text; };

  // A person who is typing a reason keeps the form as it is.
  const typing = (panel) => {
    const active = document.activeElement;
    return active && active.tagName === "INPUT" && active.value !== "" && panel.contains(active);
  };

  const refresh = () => {
    timer = null;
    const names = [...waiting];
    waiting = new Set();
    names.forEach((name) => {
      const panel = document.getElementById(name);
      if (typing(panel)) waiting.add(name); else htmx.trigger(panel, "refresh");
    });
  };

  const want = (names) => {
    names.forEach((name) => waiting.add(name));
    if (timer === null && !document.hidden) timer = setTimeout(refresh, PAUSE_MS);
  };

  const readVersion = async () => {
    const version = await (await fetch("/version")).json();
    document.getElementById("release").textContent = version.release;
    const slot = document.getElementById("slot");
    slot.textContent = version.slot;
    slot.className = `dot ${version.slot}`;
  };

  const take = (message) => {
    if (message.type === "hello") last = message.from;
    if (message.type === "resume" && message.from !== null) last = message.from;
    if (message.type === "active") want(PANELS_OF.active);
    if (message.type !== "event") return;
    last = message.seq;
    want(PANELS_OF[message.kind] || []);
    if (message.kind === "bars") charts.addBars(message.payload);
    if (message.kind === "equity") charts.addEquity(message.payload);
    if (message.kind === "fills") charts.addFills(message.payload);
  };

  const connect = () => {
    const since = last === null ? "" : `?since=${last}`;
    const socket = new WebSocket(`ws://${location.host}/api/live${since}`);
    socket.onopen = () => {
      pause = 200;
      say("live", "live");
      readVersion();
      want(EVERY_PANEL);
    };
    socket.onmessage = (event) => take(JSON.parse(event.data));
    socket.onclose = (event) => {
      // 1012: the slot is leaving, the next connection reaches the other one.
      if (event.code === 1012) say("", "switching"); else say("lost", "connection lost, trying again");
      setTimeout(connect, event.code === 1012 ? 50 : pause);
      pause = Math.min(pause * 2, 5000);
    };
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) want([]); });
  connect();
})();
