// Comfort only: times in the browser's own zone. What is exact stays in the title.
const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const shownSecond = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const shownHour = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });
const looks = { hour: shownHour, second: shownSecond };
function showTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]:not([data-look=day])")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.textContent = (looks[time.dataset.look] ?? shown).format(at);
    }
  }
}
showTimes(document);

// Copies what stands in an element. Where a browser does not let a page do that, the text is selected.
const copiers = [...document.querySelectorAll("[data-copy]")];
const say = (button, word) => {
  button.firstChild.data = word;
  button.dataset.said = word;
};
for (const button of copiers) {
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(source);
    let copied;
    try {
      await navigator.clipboard.writeText(source.textContent);
      copied = true;
    } catch {
      copied = document.execCommand("copy");
    }
    copiers.forEach((other) => say(other, "Copy"));
    say(button, copied ? "Copied" : "Selected");
  });
}

// A mistake in a long text: its line is selected.
for (const area of document.querySelectorAll("textarea[data-line]")) {
  const lines = area.value.split("\n");
  const line = Math.min(Number(area.dataset.line), lines.length);
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus({ preventScroll: true });
  area.setSelectionRange(start, start + lines[line - 1].length);
  area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 4);
}
