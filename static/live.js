// A list that goes on by itself: every two seconds the rows that came since, as the server makes them. Without
// this script one reloads the page. It rests while its tab is hidden, and ends when one is signed out.
const list = document.querySelector("tbody[data-newer]");
const status = document.getElementById("live");
const EVERY = 2000;
const MOST = 200;
let after = list.dataset.after;
let came = 0;
// Which look is the one that goes on: another begins when the tab is shown again, also while one is under way.
let latest = 0;

function tell(words) {
  if (status.textContent !== words) {
    status.textContent = words;
  }
}

function take(html) {
  const rows = document.createElement("template");
  rows.innerHTML = html;
  // The newest comes first; what is here already came along in case another instance was late.
  const fresh = [...rows.content.querySelectorAll("tr")].filter((row) => !document.getElementById(row.id));
  for (const row of fresh.reverse()) {
    row.classList.add("fresh");
    showTimes(row);
    list.prepend(row);
    if (BigInt(row.dataset.id) > BigInt(after)) {
      after = row.dataset.id;
    }
  }
  while (list.rows.length > MOST) {
    list.lastElementChild.remove();
  }
  came += fresh.length;
  document.getElementById("empty")?.remove();
}

async function look() {
  latest += 1;
  const mine = latest;
  if (document.hidden) {
    tell("Paused while this tab is hidden.");
    return;
  }
  const address = list.dataset.newer;
  const join = address.includes("?") ? "&" : "?";
  try {
    const answer = await fetch(`${address}${join}after=${after}`, { redirect: "error" });
    if (answer.status === 401) {
      tell("You are signed out. Reload the page to sign in again.");
      return;
    }
    if (!answer.ok) {
      throw new Error(answer.status);
    }
    const rows = await answer.text();
    if (mine !== latest) {
      return;
    }
    take(rows);
    tell(came === 0 ? "Live: new launches appear by themselves." : `Live: ${came} new since you opened this.`);
  } catch {
    tell("The gateway does not answer. Trying again.");
  }
  setTimeout(() => mine === latest && look(), EVERY);
}

document.addEventListener("visibilitychange", look);
look();
