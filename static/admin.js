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
