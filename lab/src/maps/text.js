"use strict";
{
  // Costs as costs.rs packs them.
  const RECORD = 11;
  const text = document.getElementById("text");
  const tip = document.getElementById("tip");
  const raw = atob(document.getElementById("costs").textContent);
  const word = (at) => raw.charCodeAt(at) + 256 * raw.charCodeAt(at + 1);
  let cells = null;
  let current = null;

  // Tells each character where its bytes begin.
  function index() {
    cells = [...text.querySelectorAll("i")];
    let byte = 0;
    cells.forEach((cell, order) => {
      cell.order = order;
      cell.first = byte;
      byte += Number(cell.dataset.n || 1);
    });
  }

  function name(byte) {
    const names = { 9: "tab", 10: "newline", 13: "return", 32: "space" };
    if (byte in names) return names[byte];
    if (byte > 32 && byte < 127) return String.fromCharCode(byte);
    return "0x" + byte.toString(16).padStart(2, "0");
  }

  function chance(p) {
    return p < 0.001 ? "< 0.1%" : (100 * p).toFixed(1) + "%";
  }

  function add(parent, tag, content) {
    const element = parent.appendChild(document.createElement(tag));
    element.textContent = content;
    return element;
  }

  function show(cell) {
    if (!cells) index();
    if (current) current.classList.remove("at");
    current = cell;
    cell.classList.add("at");
    tip.textContent = "";
    const count = Number(cell.dataset.n || 1);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += word((cell.first + i) * RECORD) / 1000;
    add(tip, "b", sum.toFixed(2) + " bits");
    add(tip, "span", " at byte " + cell.first + (count > 1 ? ", " + count + " bytes" : ""));
    const table = tip.appendChild(document.createElement("table"));
    for (let i = 0; i < count; i++) {
      const at = (cell.first + i) * RECORD;
      const guessed = word(at + 3) > 0;
      if (!guessed && count === 1) continue;
      const row = add(table, "tr", "");
      add(row, "th", count > 1 ? "byte " + (i + 1) + ", " + (word(at) / 1000).toFixed(2) : "expected");
      for (let g = at + 2; guessed && g < at + RECORD; g += 3) {
        add(row, "td", name(raw.charCodeAt(g)) + " " + chance(word(g + 1) / 65535));
      }
    }
    tip.hidden = false;
    const box = cell.getBoundingClientRect();
    const left = Math.min(box.left, innerWidth - tip.offsetWidth - 8);
    const below = box.bottom + 6;
    const fits = below + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (fits ? below : box.top - tip.offsetHeight - 6) + "px";
  }

  function hide() {
    if (current) current.classList.remove("at");
    tip.hidden = true;
  }

  text.addEventListener("pointerover", (event) => {
    if (event.target.tagName === "I") show(event.target);
  });
  text.addEventListener("pointerleave", hide);
  addEventListener("scroll", hide, { passive: true });
  text.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    if (!cells) index();
    const next = cells[current ? current.order + step : 0];
    if (!next) return;
    event.preventDefault();
    next.scrollIntoView({ block: "nearest" });
    show(next);
  });
}
