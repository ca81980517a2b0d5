// Comfort only: times in the browser's own zone. What is exact stays in the title.
const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const shownHour = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });
function showTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime()) && time.dataset.look !== "day") {
      time.textContent = (time.dataset.look === "hour" ? shownHour : shown).format(at);
    }
  }
}
showTimes(document);
