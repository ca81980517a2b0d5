// Comfort only: the preview follows what is typed; without this, a button asks. The answer is a part of a page
// that the gateway made, and the latest question wins.
const outcome = document.getElementById("outcome");
const said = document.getElementById("said");
const stale = document.getElementById("stale");
const WAIT = 250;

// What was wrong with a definition when the page was made need not be so any more.
const mistake = document.getElementById("definition-error");
const definition = document.getElementById("definition");
const mend = (wrong) => {
  if (mistake) {
    mistake.hidden = true;
    if (wrong) {
      definition.setAttribute("aria-invalid", "true");
    } else {
      definition.removeAttribute("aria-invalid");
    }
    definition.closest(".field").classList.toggle("wrong", wrong);
  }
};

const show = (text) => {
  const part = new DOMParser().parseFromString(text, "text/html").body;
  const open = new Set(Array.from(outcome.querySelectorAll("details[open]"), (one) => one.dataset.of));
  for (const one of part.querySelectorAll("details")) {
    one.open = open.has(one.dataset.of);
  }
  const summary = part.querySelector("#summary, .error");
  mend(part.querySelector(".mistake") !== null);
  outcome.replaceChildren(...part.childNodes);
  said.textContent = summary ? summary.textContent : "";
};

for (const form of document.querySelectorAll("form[data-preview]")) {
  let timer;
  let asked = new AbortController();

  const ask = async () => {
    asked = new AbortController();
    const { signal } = asked;
    const url = new URL(form.dataset.preview, location.href);
    const fields = new URLSearchParams(new FormData(form));
    const request = { signal, redirect: "manual" };
    if (form.method === "post") {
      request.method = "POST";
      request.body = fields;
    } else {
      url.search = fields.toString();
    }
    url.searchParams.set("part", "outcome");
    try {
      const response = await fetch(url, request);
      if (!response.ok) {
        throw new Error(response.type);
      }
      const text = await response.text();
      if (!signal.aborted) {
        show(text);
        stale.hidden = true;
      }
    } catch (error) {
      if (!signal.aborted) {
        stale.hidden = false;
      }
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort();
    timer = setTimeout(ask, WAIT);
  });
}
