// Shows new messages by themselves: fetches the list every two seconds and swaps it when it changed.
"use strict";

const list = document.getElementById("messages");
const news = document.getElementById("news");
let shown;

async function refresh() {
  try {
    const answer = await fetch(list.dataset.address);
    if (!answer.ok) return;
    const text = await answer.text();
    if (shown !== undefined && text !== shown && !list.contains(document.activeElement)) {
      list.innerHTML = text;
      news.textContent = news.dataset.text;
    }
    if (!list.contains(document.activeElement)) shown = text;
  } catch {
    // The server is being restarted: the next round will find it.
  }
}

refresh();
setInterval(refresh, 2000);
