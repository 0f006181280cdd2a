// Sends the form without leaving the page, as many landing pages do. Without this script the form
// posts itself and the server answers with a page.
"use strict";

const form = document.getElementById("request");
const summary = document.getElementById("summary");
const thanks = document.getElementById("thanks");
const button = form.querySelector("button");
const buttonText = button.textContent;
let sent = { body: null, key: null };

// The server checks everything and says what is wrong in the page's language.
form.noValidate = true;
fillInVisit();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  setSending(true);
  clearErrors();
  try {
    await send();
  } catch {
    showErrors([{ detail: form.dataset.trouble }]);
  } finally {
    setSending(false);
  }
});

async function send() {
  const body = JSON.stringify(Object.fromEntries(new FormData(form)));
  // One key per filled form: sending the same again is a retry and makes no second request.
  if (body !== sent.body) sent = { body, key: newKey() };
  const answer = await fetch(form.action, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "Accept-Language": document.documentElement.lang,
      "Idempotency-Key": `"${sent.key}"`,
    },
    body,
  });
  if (answer.ok) {
    // Outside opening hours the server says when to expect the call.
    const { message } = await answer.json();
    if (message) document.getElementById("when").textContent = message;
    form.hidden = true;
    thanks.hidden = false;
    thanks.focus();
    return;
  }
  const problem = await answer.json();
  showErrors(problem.errors ?? [{ detail: problem.detail ?? form.dataset.trouble }]);
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}

function fillInVisit() {
  const query = new URLSearchParams(location.search);
  for (const field of form.querySelectorAll('input[type="hidden"][name^="utm_"]')) {
    field.value = query.get(field.name) ?? "";
  }
  form.elements.page_url.value = location.href;
  form.elements.referrer.value = document.referrer;
}

function setSending(isSending) {
  button.setAttribute("aria-disabled", String(isSending));
  button.textContent = isSending ? form.dataset.sending : buttonText;
}

function clearErrors() {
  summary.hidden = true;
  summary.querySelector("ul").replaceChildren();
  for (const message of form.querySelectorAll(".error")) message.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    describe(field, `${field.name}-hint`);
  }
}

function showErrors(errors) {
  // In the order of the page, as a reader meets the fields.
  const names = Array.from(form.elements, (element) => element.name);
  errors.sort((a, b) => names.indexOf(a.field) - names.indexOf(b.field));
  const items = errors.map(({ field: name, detail }) => {
    const item = document.createElement("li");
    const field = name && form.elements.namedItem(name);
    if (field instanceof HTMLElement) {
      const link = document.createElement("a");
      link.href = `#${field.id}`;
      link.textContent = detail;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        field.focus();
      });
      item.append(link);
      mark(field, detail);
    } else {
      item.textContent = detail;
    }
    return item;
  });
  summary.querySelector("ul").replaceChildren(...items);
  summary.hidden = false;
  summary.focus();
}

function mark(field, detail) {
  const message = document.createElement("span");
  message.className = "error";
  message.id = `${field.name}-error`;
  message.textContent = detail;
  field.closest(".field").append(message);
  field.setAttribute("aria-invalid", "true");
  describe(field, `${field.name}-error`, `${field.name}-hint`);
}

function describe(field, ...ids) {
  const present = ids.filter((id) => document.getElementById(id));
  if (present.length) field.setAttribute("aria-describedby", present.join(" "));
  else field.removeAttribute("aria-describedby");
}
